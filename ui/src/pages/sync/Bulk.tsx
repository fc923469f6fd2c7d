// One answer to many conflicts, each compared with what was shown.
import { Text } from "@mantine/core";
import { api } from "../../api/client";
import { post } from "../../api/request";
import type { Conflict, Decided } from "../../api/sync";
import { Act } from "../../parts/Act";
import { count } from "../../parts/format";

export function Bulk({
  system,
  take,
  conflicts,
  onClose,
  onDone,
}: {
  system: string;
  take: "mine" | "theirs";
  conflicts: Conflict[];
  onClose: () => void;
  onDone: () => void;
}) {
  return (
    <Act<Decided>
      opened
      onClose={onClose}
      title={`Take ${take} for ${count(conflicts.length, "conflict")}`}
      confirm={`Take ${take}`}
      basis={`${take} ${conflicts.map((one) => one.key).join(" ")}`}
      send={(reason, dry) =>
        api.send(
          post(
            "/systems/{system}/conflicts",
            { system },
            {
              take,
              conflicts: conflicts.map(({ key, revision }) => ({ key, revision })),
              reason,
              dry_run: dry,
            },
          ),
        )
      }
      preview={(answer) => (
        <div>
          <Text>{count(answer.done, "conflict")} would be decided.</Text>
          {answer.items
            .filter((one) => one.problem)
            .map((one) => (
              <Text key={one.key} size="xs">
                {one.key}: {one.problem}
              </Text>
            ))}
        </div>
      )}
      onDone={onDone}
    />
  );
}
