// Editing many records from a CSV file: bad lines are told with line, column and reason, the others go in.
import { Button, Checkbox, FileInput, Group, Modal, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { postCsv } from "../../api/request";
import type { ImportProblem, ImportReport } from "../../api/sync";
import { Problem, tell } from "../../parts/Act";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { count } from "../../parts/format";
import { Status } from "../../parts/Status";

const COLUMNS: Column<ImportProblem>[] = [
  { id: "line", header: "Line", width: "60px", align: "right", value: (one) => one.line },
  { id: "column", header: "Column", width: "120px", value: (one) => one.column ?? "whole line" },
  { id: "reason", header: "Reason", width: "minmax(240px, 3fr)", value: (one) => one.reason },
];

export function ImportCsv({ system, opened, onClose }: { system: string; opened: boolean; onClose: () => void }) {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [commit, setCommit] = useState(false);
  const [reason, setReason] = useState("");
  const [report, setReport] = useState<ImportReport | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const send = async (dry: boolean) => {
    setBusy(true);
    setError(null);
    try {
      const answer = await api.send<ImportReport>(
        postCsv("/systems/{system}/import", { system }, text, {
          dry_run: dry || undefined,
          commit: commit || undefined,
          reason,
        }),
      );
      setReport(answer);
      if (!dry) {
        await client.invalidateQueries();
        tell(`${count(answer.edited, "record")} edited`, answer.undo);
      }
    } catch (problem) {
      setReport(null);
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const problems = report?.problems ?? [];
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={600}>Import CSV into {system}</Text>} size="xl">
      <Stack gap="sm">
        <Text c="dimmed">
          The first line names the fields; one of them is the key. Quotes, line breaks within them and a byte order mark
          are read. Lines that cannot be read are told and left out, the others go in as drafts of yours.
        </Text>
        <FileInput
          size="xs"
          label="File"
          accept=".csv,text/csv"
          placeholder="Choose a CSV file"
          clearable
          onChange={(file) => {
            setReport(null);
            if (file) void file.text().then(setText);
          }}
        />
        <Textarea
          label="or its text"
          autosize
          minRows={4}
          maxRows={10}
          value={text}
          onChange={(event) => {
            setReport(null);
            setText(event.currentTarget.value);
          }}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12 } }}
          spellCheck={false}
        />
        <TextInput label="Reason" value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <Checkbox
          label="Commit at once instead of keeping drafts"
          checked={commit}
          onChange={(event) => setCommit(event.currentTarget.checked)}
        />
        {error ? <Problem error={error} /> : null}
        {report ? (
          <div role="status" className="panel">
            <Group gap="lg" p="sm">
              <Status
                word={problems.length ? "partial" : "done"}
                label={`${count(report.edited, "record")} ${report.dry_run ? "would be edited" : "edited"}, ${report.unchanged} unchanged, ${count(problems.length, "bad line")}`}
              />
              {problems.length > 0 ? <CsvButton rows={problems} columns={COLUMNS} file="bad-lines" /> : null}
            </Group>
            {problems.length > 0 ? (
              <DataTable
                label="Lines that were left out"
                rows={problems}
                columns={COLUMNS}
                rowKey={(one) => `${one.line} ${one.column} ${one.reason}`}
                height={220}
              />
            ) : null}
          </div>
        ) : null}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button variant="light" disabled={!text || busy} onClick={() => void send(true)}>
            Check
          </Button>
          <Button disabled={!text || busy} onClick={() => void send(false)}>
            Import the good lines
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
