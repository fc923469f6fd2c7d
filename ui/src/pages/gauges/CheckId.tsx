// Whether a set ID is free, before anybody writes it on a gauge.
import { Group, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { Status } from "../../parts/Status";

interface Availability {
  available: boolean;
  reason: string | null;
  suggestion: string | null;
}

export function CheckId() {
  const [typed, setTyped] = useState("");
  const [asked] = useDebouncedValue(typed.trim(), 300);
  const query = useApi<Availability>(get("/gauge-sets/check-availability/{id}", { id: asked || "-" }), {
    every: false,
    enabled: asked !== "",
  });
  const found = asked ? query.data : undefined;
  return (
    <Group gap={8}>
      {found ? (
        <Text component="span" role="status">
          <Status
            word={found.available ? "available" : "refused"}
            label={found.available ? "free" : (found.reason ?? "not free")}
          />
          {found.suggestion && !found.available ? ` – next free: ${found.suggestion}` : ""}
        </Text>
      ) : null}
      <TextInput
        aria-label="Is this set ID free?"
        placeholder="Is this set ID free?"
        w={170}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
    </Group>
  );
}
