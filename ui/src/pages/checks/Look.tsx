// What a check finds now, asked by whoever looks and kept by nobody: rows that break its rule, and members beside everybody else.
import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { tableOfRows } from "../../api/views";
import { measured } from "../../parts/format";
import { Facts, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { ViewCsv, ViewTable } from "../../parts/ViewTable";
import type { CheckDetail, Looked } from "./types";

export function Look({ check }: { check: CheckDetail }) {
  const broken = check.last?.verdict === "fail";
  const [asked, setAsked] = useState(false);
  const [keys, setKeys] = useState("");
  const [cohort, setCohort] = useState<string | null>(null);
  const of = { system: check.system, check: check.check };
  // A check may read a whole table: of one that keeps its rule nobody has to know more.
  const rows = useApi<Looked>(get("/checks/{system}/{check}/look", of), { every: false, enabled: broken || asked });
  const beside = useApi<Looked>(get("/checks/{system}/{check}/look", of, { cohort }), {
    every: false,
    enabled: cohort !== null,
  });
  const table = tableOfRows(rows.data?.samples ?? []);
  const numbers = Object.entries(rows.data?.numbers ?? {});
  return (
    <div className="grid">
      <Panel
        title="Rows that break the rule"
        className="w8"
        flush
        note="as they are now"
        actions={
          <>
            <Button variant="default" onClick={() => (broken || asked ? void rows.refetch() : setAsked(true))}>
              Look now
            </Button>
            <ViewCsv table={table} file="rows" />
          </>
        }
      >
        {broken || asked ? (
          <Answer query={rows}>
            {(found) =>
              found.samples?.length ? (
                <ViewTable label="Rows that break the rule" table={table} />
              ) : (
                <Empty title={found.verdict === "fail" ? "The check names no rows" : "No row breaks the rule"}>
                  {found.message}
                </Empty>
              )
            }
          </Answer>
        ) : (
          <Empty title="The last run found none" />
        )}
      </Panel>
      <Panel title="Members beside everybody else" className="w4">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (keys.trim()) setCohort(keys.trim());
          }}
        >
          <TextInput
            label="Keys of members"
            description="With commas between them; nothing is kept"
            value={keys}
            onChange={(event) => setKeys(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" mt={8} disabled={!keys.trim()} loading={beside.isFetching}>
            Compare
          </Button>
        </form>
        {cohort === null ? null : <Answer query={beside}>{(found) => <Beside found={found} />}</Answer>}
      </Panel>
      {numbers.length > 0 ? (
        <Panel title="Numbers" className="w4">
          <Facts facts={numbers.map(([name, value]) => [name.replaceAll("_", " "), measured(value)])} />
        </Panel>
      ) : null}
    </div>
  );
}

function Beside({ found }: { found: Looked }) {
  if (!found.cohort) return <Empty title="This check looks at all rows">{found.message}</Empty>;
  const { control, control_size: size, difference, interval } = found.cohort;
  return (
    <Facts
      facts={[
        ["Members", measured(found.value, found.unit)],
        ["Everybody else", measured(control, found.unit)],
        ["Difference", measured(difference, found.unit)],
        [
          "With 95 %",
          interval ? `${measured(interval[0], found.unit)} to ${measured(interval[1], found.unit)}` : "not known",
        ],
        ["Others looked at", measured(size)],
      ]}
    />
  );
}
