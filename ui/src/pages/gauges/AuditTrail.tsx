// What an auditor asks: can the history be trusted, and the history as a file.
import { Button, Group, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useApi } from "../../api/queries";
import { address, get } from "../../api/request";
import { count, number } from "../../parts/format";
import { Panel } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { Status } from "../../parts/Status";

interface Verdict {
  ok: boolean;
  lines: number;
  gauges: number;
  sets: number;
  problems: string[];
}

export function AuditTrail() {
  const verdict = useApi<Verdict>(get("/gauge-history/verify"), { every: false });
  const [from, setFrom] = useState("");
  const [until, setUntil] = useState("");
  const [set, setSet] = useState("");
  const file = (format: string) => address(get("/gauge-history/export", { from, until, set, format }));
  return (
    <div className="grid">
      <Panel
        title="Can the history be trusted?"
        className="w6"
        actions={
          <Button variant="default" loading={verdict.isFetching} onClick={() => void verdict.refetch()}>
            Verify again
          </Button>
        }
      >
        <Answer query={verdict}>
          {(data) => (
            <>
              <Status
                word={data.ok ? "verified" : "failed"}
                label={data.ok ? "Every line and row agrees" : count(data.problems.length, "problem")}
              />
              <Text mt={6}>
                {number(data.lines)} lines, {number(data.gauges)} gauges and {number(data.sets)} sets were compared.
              </Text>
              {data.problems.map((problem) => (
                <Text key={problem}>{problem}</Text>
              ))}
            </>
          )}
        </Answer>
      </Panel>
      <Panel title="Export for an audit" className="w6">
        <Group gap={8} align="flex-end">
          <TextInput label="From" type="date" value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
          <TextInput label="To" type="date" value={until} onChange={(event) => setUntil(event.currentTarget.value)} />
          <TextInput
            label="Set"
            placeholder="all"
            value={set}
            onChange={(event) => setSet(event.currentTarget.value)}
            w={110}
          />
          <Button component="a" href={file("csv")} download variant="default">
            CSV
          </Button>
          <Button component="a" href={file("html")} target="_blank" rel="noreferrer" variant="default">
            Page to print
          </Button>
        </Group>
        <Text c="dimmed" mt={8}>
          Each line carries its digest, so the file can be checked against the store later.
        </Text>
      </Panel>
    </div>
  );
}
