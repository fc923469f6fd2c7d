// Editing one record beside the grid: only what was changed is sent, as a draft or at once.
import { Anchor, Button, Checkbox, Drawer, Group, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api } from "../../api/client";
import { put } from "../../api/request";
import type { Fields, LinkedRecord } from "../../api/sync";
import type { Undoable } from "../../api/types";
import { Problem, tell } from "../../parts/Act";
import { count } from "../../parts/format";
import { Status } from "../../parts/Status";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";

/** What became of an edit; a draft and a commit both name the way back. */
interface Put extends Undoable {
  key: string;
  edit: string;
  state: "draft" | "committed";
}

/** The members that differ; an emptied text is null, as the remote keeps it. */
export function changed(before: Fields, after: Record<string, string>): Fields {
  const fields: Fields = {};
  for (const [name, text] of Object.entries(after)) {
    const was = before[name];
    if (text === (was === null || was === undefined ? "" : String(was))) continue;
    fields[name] = text === "" ? null : text;
  }
  return fields;
}

export function EditRecord({
  system,
  record,
  fields,
  onClose,
}: {
  system: string;
  record: LinkedRecord | null;
  fields: string[];
  onClose: () => void;
}) {
  return (
    <Drawer
      opened={record !== null}
      onClose={onClose}
      position="right"
      size="md"
      title={
        <Text fw={600} className="mono">
          {record?.key}
        </Text>
      }
      transitionProps={{ duration: 80 }}
    >
      {record ? <Form key={record.key} system={system} record={record} fields={fields} onClose={onClose} /> : null}
    </Drawer>
  );
}

function Form({
  system,
  record,
  fields,
  onClose,
}: {
  system: string;
  record: LinkedRecord;
  fields: string[];
  onClose: () => void;
}) {
  const client = useQueryClient();
  const { can } = useSession();
  const texts = () =>
    Object.fromEntries(
      fields.map((field) => [
        field,
        record.fields[field] === null || record.fields[field] === undefined ? "" : String(record.fields[field]),
      ]),
    );
  const [values, setValues] = useState<Record<string, string>>(texts);
  const [commit, setCommit] = useState(false);
  const [reason, setReason] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => setError(null), []);
  const edits = changed(record.fields, values);
  const sum = Object.keys(edits).length;
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      const answer = await api.send<Put>(
        put("/systems/{system}/records/{key}/draft", { system, key: record.key }, { fields: edits, commit, reason }),
      );
      await client.invalidateQueries();
      tell(commit ? `${record.key} is committed` : `${record.key} is a draft of yours`, answer.undo ?? null);
      onClose();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Stack gap={8}>
        <Group gap={12}>
          <Status word={record.state} />
          <Anchor component={Link} to={href.record(system, record.key)}>
            Both sides, history and restore
          </Anchor>
        </Group>
        {error ? <Problem error={error} /> : null}
        <div style={{ display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(170px, 1fr))", gap: 8 }}>
          {fields.map((field) => (
            <TextInput
              key={field}
              label={field.replaceAll("_", " ")}
              value={values[field] ?? ""}
              onChange={(event) => {
                const text = event.currentTarget.value;
                setValues((before) => ({ ...before, [field]: text }));
              }}
              styles={field in edits ? { input: { background: "var(--pl-added)" } } : undefined}
            />
          ))}
        </div>
        <TextInput label="Reason" value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <Checkbox
          label="Commit at once instead of keeping a draft"
          checked={commit}
          onChange={(event) => setCommit(event.currentTarget.checked)}
        />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button type="submit" loading={busy} disabled={sum === 0 || !can("operator", system)}>
            {commit ? `Commit ${count(sum, "field")}` : `Save ${count(sum, "field")} as draft`}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
