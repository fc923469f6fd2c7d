// Sets with a vacant place: which side, what is left, where, since when, and the spares that fit (GS-11).
import { Anchor, Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { List } from "../../api/types";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { count } from "../../parts/format";
import { Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";
import { ReplaceGaugeModal } from "./ReplaceGaugeModal";
import { type Incomplete, SIDES } from "./types";

export function IncompleteSets() {
  const query = useApi<List<Incomplete>>(get("/gauge-sets/incomplete", { limit: 1000 }));
  const { can } = useSession();
  const [finding, setFinding] = useState<Incomplete | null>(null);
  const columns: Column<Incomplete>[] = [
    {
      id: "set",
      header: "Set",
      width: "100px",
      value: (one) => one.set,
      cell: (one) => (
        <Anchor component={Link} to={href.gaugeSet(one.set)} className="mono">
          {one.set}
        </Anchor>
      ),
    },
    {
      id: "missing",
      header: "Missing",
      width: "110px",
      value: (one) => one.missing.map((side) => SIDES[side]).join(", "),
    },
    { id: "left", header: "Left", width: "120px", value: (one) => one.remaining ?? "none" },
    { id: "place", header: "Place", width: "120px", value: (one) => one.location ?? "none" },
    {
      id: "age",
      header: "Age",
      width: "110px",
      align: "right",
      value: (one) => one.age_days,
      cell: (one) => count(one.age_days, "day"),
    },
    {
      id: "fits",
      header: "Spares that fit",
      width: "130px",
      value: (one) => one.fitting,
      cell: (one) => (
        <Status
          word={one.fitting > 0 ? "good" : "none"}
          tone={one.fitting > 0 ? "good" : "idle"}
          label={one.fitting > 0 ? count(one.fitting, "spare") : "none"}
        />
      ),
    },
    {
      id: "find",
      header: "",
      width: "150px",
      sortable: false,
      value: () => null,
      cell: (one) => (
        <Button
          size="compact-xs"
          variant="default"
          disabled={!can("operator", "gauges")}
          onClick={() => setFinding(one)}
        >
          Find replacement
        </Button>
      ),
    },
  ];
  return (
    <Panel
      title="Sets with a vacant place"
      flush
      note={query.data ? count(query.data.total, "set") : null}
      actions={<CsvButton rows={query.data?.items ?? []} columns={columns} file="incomplete-sets" />}
    >
      <Answer query={query}>
        {(data) => (
          <DataTable
            label="Incomplete sets"
            rows={data.items}
            columns={columns}
            rowKey={(one) => one.set}
            height={480}
            initialSort={[{ id: "age", desc: true }]}
            empty={<Empty title="Every set is complete" />}
          />
        )}
      </Answer>
      {finding ? (
        <ReplaceGaugeModal
          set={finding.set}
          vacant={finding.missing}
          members={[]}
          opened
          onClose={() => setFinding(null)}
        />
      ) : null}
    </Panel>
  );
}
