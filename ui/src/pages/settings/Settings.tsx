// Who may use the server, with which roles; tokens of programs; and how this browser shows things.
import {
  Button,
  Group,
  PasswordInput,
  SegmentedControl,
  Select,
  Stack,
  Text,
  TextInput,
  useMantineColorScheme,
} from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { api } from "../../api/client";
import { useApi } from "../../api/queries";
import { get, post, put, remove } from "../../api/request";
import { ROLES, type Role, type SystemInfo, type Undoable } from "../../api/types";
import { Act } from "../../parts/Act";
import { type Column, DataTable } from "../../parts/DataTable";
import { Facts, Page, Panel } from "../../parts/Page";
import { Answer, Empty } from "../../parts/States";
import { useSession } from "../../shell/session";
import { useUi } from "../../state/ui";

interface Person {
  name: string;
  roles: Record<string, Role>;
  created_at: string;
  changed_at: string;
}

interface Token {
  name: string;
  scope: string;
  role: Role;
}

export function Settings() {
  const { session, can } = useSession();
  const { zone, setZone } = useUi();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Page title="Settings">
      <div className="grid">
        <Panel title="You" className="w4">
          <Facts
            facts={[
              ["Name", session.user],
              ["Role", session.role ?? "none"],
              [
                "How",
                { open: "everybody on this machine may use the server", session: "logged in", token: "by a token" }[
                  session.mode
                ],
              ],
              ...Object.entries(session.roles).map(([system, role]): [string, string] => [
                system === "*" ? "all systems" : system,
                role,
              ]),
            ]}
          />
        </Panel>
        <Panel title="This browser" className="w8">
          <Group gap="xl">
            <Stack gap={4}>
              <Text id="scheme">Colours</Text>
              <SegmentedControl
                aria-labelledby="scheme"
                value={colorScheme}
                onChange={(one) => setColorScheme(one as "auto")}
                data={[
                  { value: "auto", label: "As the system" },
                  { value: "light", label: "Light" },
                  { value: "dark", label: "Dark" },
                ]}
              />
            </Stack>
            <Stack gap={4}>
              <Text id="zone">Times</Text>
              <SegmentedControl
                aria-labelledby="zone"
                value={zone}
                onChange={(one) => setZone(one as "utc")}
                data={[
                  { value: "local", label: Intl.DateTimeFormat().resolvedOptions().timeZone },
                  { value: "utc", label: "UTC" },
                ]}
              />
            </Stack>
          </Group>
        </Panel>
        <Users admin={can("admin")} />
        <Tokens />
      </div>
    </Page>
  );
}

const PEOPLE: Column<Person>[] = [
  { id: "name", header: "Name", width: "150px", value: (one) => one.name },
  {
    id: "roles",
    header: "Roles",
    width: "minmax(200px, 2fr)",
    value: (one) =>
      Object.entries(one.roles)
        .map(([system, role]) => `${system === "*" ? "all systems" : system}: ${role}`)
        .join(", "),
  },
];

function Users({ admin }: { admin: boolean }) {
  const query = useApi<Person[]>(get("/users"), { every: false });
  const systems = useApi<SystemInfo[]>(get("/systems"), { every: false });
  const [doing, setDoing] = useState<Person | "new" | null>(null);
  const [removing, setRemoving] = useState<Person | null>(null);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [roles, setRoles] = useState<Record<string, Role>>({ "*": "viewer" });
  const people = query.data ?? [];
  const begin = (one: Person | "new") => {
    setName(one === "new" ? "" : one.name);
    setRoles(one === "new" ? { "*": "viewer" } : { ...one.roles });
    setPassword("");
    setDoing(one);
  };
  return (
    <Panel
      title="Users"
      className="w8"
      flush
      actions={
        <Button
          variant="default"
          leftSection={<IconPlus size={14} />}
          disabled={!admin || !query.data}
          onClick={() => begin("new")}
        >
          Add a user
        </Button>
      }
    >
      <Answer query={query}>
        {() => (
          <DataTable
            label="Users"
            rows={people}
            columns={[
              ...PEOPLE,
              {
                id: "do",
                header: "",
                width: "150px",
                sortable: false,
                value: () => null,
                cell: (one) => (
                  <Group gap={4} wrap="nowrap">
                    <Button size="compact-xs" variant="default" disabled={!admin} onClick={() => begin(one)}>
                      Change
                    </Button>
                    <Button size="compact-xs" variant="default" disabled={!admin} onClick={() => setRemoving(one)}>
                      Remove
                    </Button>
                  </Group>
                ),
              },
            ]}
            rowKey={(one) => one.name}
            height={300}
            empty={
              <Empty title="No users">
                Whoever is on this machine may use the server; beyond it, it does not start without users.
              </Empty>
            }
          />
        )}
      </Answer>
      {doing ? (
        <Act<Person & Undoable>
          opened
          onClose={() => setDoing(null)}
          title={doing === "new" ? "Add a user" : `Change ${doing.name}`}
          confirm={doing === "new" ? "Add user" : "Change user"}
          ready={name.trim() !== "" && (doing !== "new" || password.length > 0)}
          send={(reason) =>
            doing === "new"
              ? api.send(post("/users", { name: name.trim(), password, roles, reason }))
              : api.send(
                  put("/users/{name}", { name: doing.name }, { ...(password ? { password } : {}), roles, reason }),
                )
          }
        >
          <TextInput
            label="Name"
            required
            disabled={doing !== "new"}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            autoComplete="off"
          />
          <PasswordInput
            size="xs"
            label="Password"
            description={doing === "new" ? undefined : "Left empty, it stays as it is"}
            required={doing === "new"}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            autoComplete="new-password"
          />
          {["*", ...(systems.data ?? []).map((one) => one.name)].map((system) => (
            <Select
              key={system}
              label={system === "*" ? "Role in all systems" : `Role in ${system}`}
              clearable
              data={[...ROLES]}
              value={roles[system] ?? null}
              onChange={(role) =>
                setRoles((before) => {
                  const after = { ...before };
                  if (role) after[system] = role;
                  else delete after[system];
                  return after;
                })
              }
            />
          ))}
        </Act>
      ) : null}
      {removing ? (
        <Act<Person & Undoable>
          opened
          onClose={() => setRemoving(null)}
          title={`Remove ${removing.name}`}
          about="Their sessions end at once. What they did stays in the audit under their name."
          confirm="Remove user"
          danger
          send={(reason) => api.send(remove("/users/{name}", { name: removing.name }, { reason }))}
        />
      ) : null}
    </Panel>
  );
}

function Tokens() {
  const query = useApi<{ items: Token[] }>(get("/tokens"), { every: false });
  const tokens = query.data?.items ?? [];
  return (
    <Panel title="Tokens of programs" className="w4" flush note="made with plimsoll token create">
      <Answer query={query}>
        {() => (
          <DataTable
            label="Tokens"
            rows={tokens}
            columns={[
              { id: "name", header: "Name", value: (one) => one.name },
              { id: "scope", header: "Scope", value: (one) => one.scope },
            ]}
            rowKey={(one) => one.name}
            height={260}
            empty={<Empty title="No tokens" />}
          />
        )}
      </Answer>
    </Panel>
  );
}
