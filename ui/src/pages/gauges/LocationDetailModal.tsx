// A place with what is kept there (GS-18).
import { Anchor, Modal, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { number } from "../../parts/format";
import { Facts } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { href } from "../../shell/places";
import type { Place } from "./types";

type Kept = Place["content"][number];

const COLUMNS: Column<Kept>[] = [
  {
    id: "serial",
    header: "Gauge",
    width: "120px",
    value: (one) => one.serial,
    cell: (one) => <span className="mono">{one.serial}</span>,
  },
  { id: "name", header: "Name", value: (one) => one.name },
  {
    id: "status",
    header: "Status",
    width: "130px",
    value: (one) => one.status,
    cell: (one) => <Status word={one.status} />,
  },
  {
    id: "set",
    header: "Set",
    width: "100px",
    value: (one) => one.set_id,
    cell: (one) =>
      one.set_id ? (
        <Anchor component={Link} to={href.gaugeSet(one.set_id)}>
          {one.set_id}
        </Anchor>
      ) : (
        "spare"
      ),
  },
];

export function LocationDetailModal({ place, onClose }: { place: string | null; onClose: () => void }) {
  const query = useApi<Place>(get("/gauge-locations/{location}", { location: place ?? "-" }), {
    enabled: place !== null,
    every: false,
  });
  return (
    <Modal opened={place !== null} onClose={onClose} size="lg" title={<Text fw={600}>{place}</Text>}>
      <Answer query={query}>
        {(data) => (
          <>
            <Facts
              facts={[
                ["What it is", [data.kind, data.title].filter(Boolean).join(", ") || "not said"],
                ["Where", [data.zone, data.building, data.facility].filter(Boolean).join(", ") || "not said"],
                [
                  "In use",
                  <Status key="active" word={data.active ? "active" : "off"} label={data.active ? "yes" : "no"} />,
                ],
                ["Takes", data.allowed || "everything"],
                ["Gauges", number(data.gauges)],
              ]}
            />
            <div style={{ marginTop: 12 }}>
              <div style={{ display: "flex", justifyContent: "flex-end" }}>
                <CsvButton rows={data.content} columns={COLUMNS} file={`place-${data.location}`} />
              </div>
              <DataTable
                label={`Kept at ${data.location}`}
                rows={data.content}
                columns={COLUMNS}
                rowKey={(one) => one.serial}
                height={320}
                empty={<Empty title="Nothing is kept here" />}
              />
            </div>
          </>
        )}
      </Answer>
    </Modal>
  );
}
