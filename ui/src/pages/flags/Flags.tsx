// All flags: who gets it, in one line each.
import { Anchor, Button, Checkbox, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import type { Flag, FlagChange, FlagDefinition } from "../../api/flags";
import { useApi } from "../../api/queries";
import { get, post } from "../../api/request";
import type { List } from "../../api/types";
import { Act } from "../../parts/Act";
import { type Column, CsvButton, DataTable } from "../../parts/DataTable";
import { Choice, Find } from "../../parts/Filters";
import { count, number } from "../../parts/format";
import { Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { useFilters } from "../../parts/useFilters";
import { href } from "../../shell/places";
import { useSession } from "../../shell/session";

/** Who gets a flag, in words. */
export function reach(flag: FlagDefinition): string {
  if (flag.state !== "on") return "nobody";
  const allowed = Object.keys(flag.allow ?? {}).length;
  const denied = flag.deny?.length ?? 0;
  const parts: string[] = [];
  if (flag.rollout) parts.push(`${number(flag.rollout.percent)} %`);
  if (flag.rules?.length) parts.push(count(flag.rules.length, "rule"));
  if (flag.rollout?.stages?.length) parts.push(`${count(flag.rollout.stages.length, "stage")} by date`);
  if (allowed) parts.push(`${count(allowed, "key")} allowed`);
  const base = parts.length === 0 ? "everybody" : parts.join(", ");
  return denied ? `${base}, but ${number(denied)} denied` : base;
}

const COLUMNS: Column<Flag>[] = [
  {
    id: "name",
    header: "Flag",
    width: "minmax(170px, 1.4fr)",
    value: (one) => one.flag.name,
    cell: (one) => (
      <Anchor component={Link} to={href.flag(one.flag.name)} fw={550}>
        {one.flag.name}
      </Anchor>
    ),
  },
  {
    id: "state",
    header: "State",
    width: "110px",
    value: (one) => (one.archived ? "archived" : one.flag.state),
    cell: (one) => <Status word={one.archived ? "archived" : one.flag.state} />,
  },
  { id: "reach", header: "Who gets it", width: "minmax(200px, 1.6fr)", value: (one) => reach(one.flag) },
  {
    id: "variants",
    header: "Variants",
    width: "140px",
    value: (one) => (one.flag.variants ?? []).map((variant) => variant.name).join(", ") || "none",
  },
  { id: "owner", header: "Owner", width: "110px", value: (one) => one.flag.owner ?? "none" },
  { id: "version", header: "Version", width: "80px", align: "right", value: (one) => one.version },
  {
    id: "expires",
    header: "Expires",
    width: "110px",
    value: (one) => one.flag.expires_at,
    cell: (one) => <Time at={one.flag.expires_at} form="ago" />,
  },
  {
    id: "changed",
    header: "Changed",
    width: "110px",
    value: (one) => one.changed_at,
    cell: (one) => <Time at={one.changed_at} form="ago" />,
  },
];

export function Flags() {
  const [search, setSearch] = useFilters();
  const navigate = useNavigate();
  const { can } = useSession();
  const [creating, setCreating] = useState(false);
  const archived = search.archived === "true";
  const query = useApi<List<Flag>>(get("/flags", { archived: archived || undefined, limit: 1000 }));
  const shown = (query.data?.items ?? []).filter(
    (one) =>
      (!search.state || one.flag.state === search.state) &&
      (!search.find ||
        `${one.flag.name} ${one.flag.owner ?? ""} ${one.flag.description ?? ""}`
          .toLowerCase()
          .includes(search.find.toLowerCase())),
  );
  return (
    <Page
      title="Flags"
      about="Who gets it. Cohorts are frozen: growth keeps every earlier member, and every change says who enters and who leaves first."
      actions={
        <Button leftSection={<IconPlus size={14} />} disabled={!can("operator")} onClick={() => setCreating(true)}>
          Create a flag
        </Button>
      }
    >
      <Panel
        title="All flags"
        note={query.data ? count(shown.length, "flag") : null}
        flush
        actions={
          <>
            <Checkbox
              label="deleted too"
              checked={archived}
              onChange={(event) => setSearch({ archived: event.currentTarget.checked ? "true" : undefined })}
            />
            <Choice
              label="State"
              width={110}
              value={search.state}
              onChange={(state) => setSearch({ state })}
              options={["on", "off", "killed"]}
            />
            <Find label="Find by name or owner" value={search.find} onChange={(find) => setSearch({ find })} />
            <CsvButton rows={shown} columns={COLUMNS} file="flags" />
          </>
        }
      >
        <Answer query={query}>
          {() => (
            <DataTable
              label="Flags"
              rows={shown}
              columns={COLUMNS}
              rowKey={(one) => one.id}
              height={620}
              onOpen={(one) => void navigate({ to: href.flag(one.flag.name) })}
              empty={<Empty title="No flags">Create one; it is off until somebody turns it on.</Empty>}
            />
          )}
        </Answer>
      </Panel>
      <Create opened={creating} onClose={() => setCreating(false)} />
    </Page>
  );
}

function Create({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [name, setName] = useState("");
  const [owner, setOwner] = useState("");
  const [about, setAbout] = useState("");
  return (
    <Act<FlagChange>
      opened={opened}
      onClose={onClose}
      title="Create a flag"
      about="A new flag is off for everybody."
      confirm="Create flag"
      ready={name.trim() !== ""}
      send={(reason, dry) =>
        api.send(
          post("/flags", {
            name: name.trim(),
            definition: { ...(owner ? { owner } : {}), ...(about ? { description: about } : {}) },
            reason,
            dry_run: dry,
          }),
        )
      }
      leadsTo={() => href.flag(name.trim())}
    >
      <TextInput
        label="Name"
        required
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
      <TextInput label="Owner" value={owner} onChange={(event) => setOwner(event.currentTarget.value)} />
      <TextInput label="What it decides" value={about} onChange={(event) => setAbout(event.currentTarget.value)} />
    </Act>
  );
}
