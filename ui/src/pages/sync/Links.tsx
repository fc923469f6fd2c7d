// The systems whose records are linked with a remote, and how far each link is.
import { Anchor } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useApi } from "../../api/queries";
import { get } from "../../api/request";
import type { SyncStatus } from "../../api/sync";
import type { SystemInfo } from "../../api/types";
import { number } from "../../parts/format";
import { Page, Panel, Stats } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { href } from "../../shell/places";
import { linkFigures } from "./SyncPage";

export function Links() {
  const systems = useApi<SystemInfo[]>(get("/systems"));
  return (
    <Page
      title="Sync"
      about="Records that two sides edit: what was pulled, what waits to be sent, and what needs a person."
    >
      <Answer query={systems}>
        {(data) => {
          const linked = data.filter((one) => one.link);
          if (linked.length === 0) return <Empty title="No system is linked with a remote" />;
          return (
            <>
              {linked.map((system) => (
                <OfSystem key={system.name} system={system} />
              ))}
            </>
          );
        }}
      </Answer>
    </Page>
  );
}

function OfSystem({ system }: { system: SystemInfo }) {
  const sync = useApi<SyncStatus>(get("/systems/{system}/sync", { system: system.name }));
  return (
    <Panel
      title={system.name}
      note={system.title}
      actions={
        <>
          <Anchor component={Link} to={href.sync(system.name)}>
            Sync
          </Anchor>
          <Anchor component={Link} to={href.conflicts(system.name)}>
            Conflicts
          </Anchor>
          <Anchor component={Link} to={href.records(system.name)}>
            {number(sync.data?.status.mirrored)} records
          </Anchor>
        </>
      }
    >
      <Answer query={sync}>{(data) => <Stats figures={linkFigures(data)} />}</Answer>
    </Panel>
  );
}
