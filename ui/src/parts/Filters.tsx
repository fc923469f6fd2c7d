// Filters of a list. Each is one member of the address.
import { Button, Group, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useApi } from "../api/queries";
import { get } from "../api/request";
import type { SystemInfo } from "../api/types";
import { count } from "./format";

export function Choice({
  label,
  value,
  onChange,
  options,
  width = 150,
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  options: (string | { value: string; label: string })[];
  width?: number;
}) {
  return (
    <Select
      aria-label={label}
      placeholder={label}
      clearable
      searchable={options.length > 8}
      w={width}
      data={options}
      value={value ?? null}
      onChange={(chosen) => onChange(chosen ?? undefined)}
    />
  );
}

export function SystemChoice({
  value,
  onChange,
}: {
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}) {
  const systems = useApi<SystemInfo[]>(get("/systems"), { every: false });
  const names = (systems.data ?? []).map((one) => one.name);
  if (value && !names.includes(value)) names.push(value);
  return <Choice label="System" value={value} onChange={onChange} options={names} />;
}

export function Find({
  label,
  value,
  onChange,
  width = 220,
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  width?: number;
}) {
  const [typed, setTyped] = useState(value ?? "");
  const later = useDebouncedCallback((text: string) => onChange(text || undefined), 250);
  useEffect(() => setTyped(value ?? ""), [value]);
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      w={width}
      leftSection={<IconSearch size={13} />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        later(event.currentTarget.value);
      }}
    />
  );
}

/** Where in a long list one is, and the way on. */
export function Pager({
  offset,
  limit,
  total,
  what,
  onMove,
}: {
  offset: number;
  limit: number;
  total: number;
  what: string;
  onMove: (offset: number) => void;
}) {
  if (total <= limit && offset === 0) {
    return <span style={{ fontSize: 12 }}>{count(total, what)}</span>;
  }
  return (
    <Group gap={6}>
      <span style={{ fontSize: 12 }} className="num">
        {offset + 1}–{Math.min(offset + limit, total)} of {count(total, what)}
      </span>
      <Button
        size="compact-xs"
        variant="default"
        disabled={offset === 0}
        onClick={() => onMove(Math.max(0, offset - limit))}
      >
        Back
      </Button>
      <Button
        size="compact-xs"
        variant="default"
        disabled={offset + limit >= total}
        onClick={() => onMove(offset + limit)}
      >
        Next
      </Button>
    </Group>
  );
}
