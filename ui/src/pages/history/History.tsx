// What runs did to one row: every version, by which run, who and when.
import { Anchor, Button, Group, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { ChangeLine, List, RowChange, SystemInfo } from "../../api/types";
import { RowDiff } from "../../parts/Diff";
import { Choice, SystemChoice } from "../../parts/Filters";
import { shortId } from "../../parts/format";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Time } from "../../parts/Time";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";

export interface RowVersion {
  run: string;
  change: string;
  actor: string;
  at: string;
  kind: RowChange["kind"];
  row: ChangeLine;
}

export function History() {
  const [search, setSearch] = useFilters();
  const { system, table, key } = search;
  const [typed, setTyped] = useState(key ?? "");
  useEffect(() => setTyped(key ?? ""), [key]);
  const systems = useApi<SystemInfo[]>(get("/systems"), { every: false });
  const tables = systems.data?.find((one) => one.name === system)?.tables ?? [];
  const asked = Boolean(system && table && key);
  const query = useApi<List<RowVersion>>(
    get("/systems/{system}/history", { system: system ?? "-" }, { table: table ?? "", key: key ?? "" }),
    { enabled: asked, every: false },
  );
  return (
    <Page
      title="Row history"
      about="Every version of a row that a run wrote, with the run, the reason and both images."
    >
      <Panel title="Which row">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            setSearch({ key: typed.trim() || undefined });
          }}
        >
          <Group gap={8}>
            <SystemChoice value={system} onChange={(chosen) => setSearch({ system: chosen, table: undefined })} />
            <Choice
              label="Table"
              width={220}
              value={table}
              onChange={(chosen) => setSearch({ table: chosen })}
              options={tables}
            />
            <TextInput
              aria-label="Key"
              placeholder="Key, such as 282 or 1201/7"
              w={220}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
            />
            <Button type="submit" disabled={!system || !table || !typed.trim()}>
              Show history
            </Button>
          </Group>
        </form>
      </Panel>
      <Panel title="Versions" flush note={asked ? `${table} ${key}` : null}>
        {asked ? (
          <Answer query={query}>
            {(data) => {
              const versions = [...data.items].reverse();
              if (versions.length === 0) return <Empty title="No run ever wrote this row" />;
              return (
                <>
                  {versions.map((version) => (
                    <article
                      key={`${version.run} ${version.at}`}
                      style={{ borderBottom: "1px solid var(--pl-line)", padding: "6px 0" }}
                    >
                      <Group gap={12} px={10}>
                        <Time at={version.at} />
                        <span>by {version.actor}</span>
                        <Anchor component={Link} to={href.run(version.run)} className="mono">
                          {shortId(version.run)}
                        </Anchor>
                        <span>{version.change}</span>
                      </Group>
                      <RowDiff change={version.row} />
                    </article>
                  ))}
                </>
              );
            }}
          </Answer>
        ) : (
          <Empty title="Name a row">Choose a system and a table, and give the key as plans and runs show it.</Empty>
        )}
      </Panel>
    </Page>
  );
}
