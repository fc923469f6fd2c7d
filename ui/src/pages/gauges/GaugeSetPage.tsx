// One set: GO and NO-GO side by side, what they have in common once, what can be done, and its whole history (GS-15, GS-13).
import { Anchor, Button, Group, Text } from "@mantine/core";
import { IconArchive, IconArrowsExchange, IconLinkOff } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { Facts, Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useSession } from "../../shell/session";
import { LocationDetailModal } from "./LocationDetailModal";
import { ReplaceGaugeModal } from "./ReplaceGaugeModal";
import { SetActionModal } from "./SetActionModal";
import { SetHistory } from "./SetHistory";
import { type GaugeSet, likenessText, type Member, SIDES, type Side, stateWord } from "./types";

type Doing = "replace" | "unpair" | "retire";

export function GaugeSetPage() {
  const { set: id = "" } = useParams({ strict: false }) as { set?: string };
  const query = useApi<GaugeSet>(get("/gauge-sets/{set}", { set: id }));
  const { can } = useSession();
  const [doing, setDoing] = useState<Doing | null>(null);
  const [place, setPlace] = useState<string | null>(null);
  const set = query.data;
  const may = can("operator", "gauges");
  const ended = Boolean(set?.ended_at);
  const vacant = set ? (["go", "nogo"] as const).filter((side) => !set.members.some((one) => one.side === side)) : [];
  return (
    <Page
      title={`Set ${id}`}
      crumbs={[{ title: "Gauge sets", to: "/gauges" }]}
      about={
        set ? (
          <Group gap={10}>
            <Status word={stateWord(set.state)} />
            <span>{likenessText(set.likeness)}</span>
            {set.state.blocked.length > 0 ? <span>{set.state.blocked.join("; ")}</span> : null}
          </Group>
        ) : null
      }
      actions={
        set && !ended ? (
          <>
            <Button leftSection={<IconArrowsExchange size={14} />} disabled={!may} onClick={() => setDoing("replace")}>
              {vacant.length > 0 ? "Find replacement" : "Replace a gauge"}
            </Button>
            <Button
              variant="default"
              leftSection={<IconLinkOff size={14} />}
              disabled={!may}
              onClick={() => setDoing("unpair")}
            >
              Unpair
            </Button>
            <Button
              variant="default"
              leftSection={<IconArchive size={14} />}
              disabled={!may}
              onClick={() => setDoing("retire")}
            >
              Retire
            </Button>
          </>
        ) : null
      }
    >
      <Answer query={query}>
        {(data) => (
          <div className="grid">
            {(["go", "nogo"] as const).map((side) => (
              <Card key={side} side={side} member={data.members.find((one) => one.side === side)} onPlace={setPlace} />
            ))}
            <Common set={data} />
            <SetHistory set={data.set_id} />
            {doing === "replace" ? (
              <ReplaceGaugeModal
                set={data.set_id}
                members={data.members}
                vacant={[...vacant]}
                opened
                onClose={() => setDoing(null)}
              />
            ) : null}
            {doing === "unpair" || doing === "retire" ? (
              <SetActionModal set={data} action={doing} opened onClose={() => setDoing(null)} />
            ) : null}
            <LocationDetailModal place={place} onClose={() => setPlace(null)} />
          </div>
        )}
      </Answer>
    </Page>
  );
}

function Card({ side, member, onPlace }: { side: Side; member: Member | undefined; onPlace: (place: string) => void }) {
  return (
    <Panel title={SIDES[side]} className="w4" note={member?.sealed ? "sealed" : null}>
      {member ? (
        <>
          <Text fz={18} fw={600} className="mono" mb={6}>
            {member.serial}
          </Text>
          <Facts
            facts={[
              ["Status", <Status key="status" word={member.status} />],
              [
                "Place",
                member.location ? (
                  <Anchor key="place" component="button" type="button" onClick={() => onPlace(member.location ?? "")}>
                    {member.location}
                  </Anchor>
                ) : (
                  "none"
                ),
              ],
              ["Due", member.due_on ?? "no certificate"],
              ["Sealed", member.sealed ? "yes" : "no"],
            ]}
          />
        </>
      ) : (
        <Empty title="Vacant">A spare that fits can take this place; the set keeps its ID.</Empty>
      )}
    </Panel>
  );
}

function Common({ set }: { set: GaugeSet }) {
  const one = set.likeness;
  return (
    <Panel title="In common" className="w4">
      <Facts
        facts={[
          ["Size", one.thread_size],
          ["Class", one.thread_class],
          ["Thread", [one.thread_type, one.thread_form].filter(Boolean).join(" ")],
          ["Kind", one.gauge_type],
          ["Hand", one.hand === "LH" ? "left" : "right"],
          ["Category", one.category],
          ["Owner", one.owner ? `${one.ownership}: ${one.owner}` : one.ownership],
          ["Made", <Time key="made" at={set.created_at} />],
          ["Ended", set.ended_at ? <Time key="ended" at={set.ended_at} /> : "no"],
        ]}
      />
    </Panel>
  );
}
