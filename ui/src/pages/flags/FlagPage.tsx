// One flag: who gets it, changing that with a preview of who enters and leaves, killing it, why somebody gets it, and its
// history.
import { Button, Group, Text } from "@mantine/core";
import { IconPower, IconSkull } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { Flag } from "../../api/flags";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import { Facts, Page, Panel } from "../../parts/Page";
import { Answer } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useSession } from "../../shell/session";
import { ChangeFlag, type Wish } from "./ChangeFlag";
import { Explain } from "./Explain";
import { FlagHistory } from "./FlagHistory";
import { reach } from "./Flags";
import { Followers, Kill } from "./Kill";
import { Keys, Rollout } from "./Rollout";

export function FlagPage() {
  const { flag: name = "" } = useParams({ strict: false }) as { flag?: string };
  const query = useApi<Flag>(get("/flags/{flag}", { flag: name }));
  const { can } = useSession();
  const [wish, setWish] = useState<Wish | null>(null);
  const [killing, setKilling] = useState(false);
  const flag = query.data;
  const may = can("operator");
  return (
    <Page
      title={name}
      crumbs={[{ title: "Flags", to: "/flags" }]}
      about={
        flag ? (
          <Group gap={10}>
            <Status word={flag.archived ? "archived" : flag.flag.state} />
            <span>{reach(flag.flag)}</span>
            <span>version {flag.version}</span>
          </Group>
        ) : null
      }
      actions={
        flag && !flag.archived ? (
          <>
            {flag.flag.state === "on" ? (
              <Button
                variant="default"
                leftSection={<IconPower size={14} />}
                disabled={!may}
                onClick={() =>
                  setWish({ title: "Turn the flag off", confirm: "Turn off", body: { definition: { state: "off" } } })
                }
              >
                Turn off
              </Button>
            ) : (
              <Button
                leftSection={<IconPower size={14} />}
                disabled={!may}
                onClick={() =>
                  setWish({ title: "Turn the flag on", confirm: "Turn on", body: { definition: { state: "on" } } })
                }
              >
                Turn on
              </Button>
            )}
            <Button
              color="red.9"
              leftSection={<IconSkull size={14} />}
              disabled={!may || flag.flag.state === "killed"}
              onClick={() => setKilling(true)}
            >
              Kill
            </Button>
          </>
        ) : null
      }
    >
      <Answer query={query}>
        {(data) => (
          <div className="grid">
            <div className="col w8">
              <Rollout flag={data} onWish={setWish} />
              <Explain flag={data} />
              <FlagHistory flag={data} onWish={setWish} />
            </div>
            <div className="col w4">
              <Panel title="What it is">
                <Facts
                  facts={[
                    ["Decides", data.flag.description ?? "not said"],
                    ["Owner", data.flag.owner ?? "none"],
                    ["Key", data.flag.key ?? "userId"],
                    ["Algorithm", data.flag.rollout?.algorithm ?? "no rollout"],
                    [
                      "Salt",
                      <span key="salt" className="mono">
                        {data.flag.rollout?.salt ?? data.flag.salt}
                      </span>,
                    ],
                    ["Created", <Time key="created" at={data.created_at} />],
                    ["Changed", <Time key="changed" at={data.changed_at} />],
                    ["Expires", <Time key="expires" at={data.flag.expires_at} />],
                  ]}
                />
                {data.flag.variants?.length ? (
                  <Text mt="sm">
                    Variants: {data.flag.variants.map((variant) => `${variant.name} (${variant.weight})`).join(", ")}
                  </Text>
                ) : null}
              </Panel>
              <Keys flag={data} />
              <Followers version={data.version} />
            </div>
            {wish ? <ChangeFlag flag={data} wish={wish} onClose={() => setWish(null)} /> : null}
            <Kill flag={data} opened={killing} onClose={() => setKilling(false)} />
          </div>
        )}
      </Answer>
    </Page>
  );
}
