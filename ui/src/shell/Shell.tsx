// The frame around every page: navigation, search, who one is, light and dark.
import {
  ActionIcon,
  AppShell,
  Burger,
  Group,
  Kbd,
  Menu,
  Text,
  Tooltip,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconMoon, IconRefresh, IconSearch, IconSun, IconUser } from "@tabler/icons-react";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { Boundary } from "../parts/Boundary";
import { REFRESHES, useUi } from "../state/ui";
import { Mark } from "./Mark";
import { Palette } from "./Palette";
import { GROUPS } from "./places";
import { useSession } from "./session";

export function Shell() {
  const { navOpen, setNav, setPalette } = useUi();
  const address = useRouterState({ select: (state) => state.location.pathname });
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useHotkeys([
    ["mod+K", () => setPalette(true)],
    ["/", () => setPalette(true)],
  ]);
  // Who follows a link with a screen reader hears the new page from its beginning.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the address changes
  useEffect(() => {
    setNav(false);
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [address]);
  return (
    <AppShell
      header={{ height: 46 }}
      navbar={{ width: 208, breakpoint: "md", collapsed: { mobile: !navOpen } }}
      padding={{ base: 12, sm: 16 }}
      transitionDuration={0}
    >
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <AppShell.Header style={{ borderColor: "var(--pl-line)" }}>
        <Group h="100%" px="sm" gap="sm" wrap="nowrap">
          <Burger
            opened={navOpen}
            onClick={() => setNav(!navOpen)}
            hiddenFrom="md"
            size="sm"
            aria-label="Navigation"
            aria-expanded={navOpen}
          />
          <Link
            to="/"
            style={{ display: "flex", gap: 8, alignItems: "center", color: "inherit", textDecoration: "none" }}
          >
            <Mark />
            <Text fw={650} fz={15} visibleFrom="xs">
              Plimsoll
            </Text>
          </Link>
          <UnstyledButton
            onClick={() => setPalette(true)}
            style={{
              flex: 1,
              maxWidth: 420,
              marginInline: "auto",
              border: "1px solid var(--pl-line)",
              borderRadius: 6,
              padding: "4px 10px",
              background: "var(--pl-canvas)",
            }}
          >
            <Group gap={8} wrap="nowrap">
              <IconSearch size={14} />
              <Text c="dimmed" truncate style={{ flex: 1 }}>
                Search or go to…
              </Text>
              <Kbd size="xs" visibleFrom="xs">
                Ctrl K
              </Kbd>
            </Group>
          </UnstyledButton>
          <Group gap={4} wrap="nowrap">
            <RefreshMenu />
            <SchemeButton />
            <UserMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar style={{ borderColor: "var(--pl-line)" }} aria-label="Places">
        <div style={{ overflowY: "auto", padding: 8 }}>
          {GROUPS.map((group, position) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the groups never change
            <div key={position} style={{ marginTop: position === 0 ? 0 : 10 }}>
              {group.title ? (
                <Text size="xs" c="dimmed" fw={550} px={10} pb={2}>
                  {group.title}
                </Text>
              ) : null}
              {group.places.map((place) => (
                <Link
                  key={place.to}
                  to={place.to}
                  className="nav-link"
                  activeOptions={{ exact: place.to === "/", includeSearch: false }}
                >
                  <place.icon size={16} stroke={1.7} />
                  {place.title}
                </Link>
              ))}
            </div>
          ))}
        </div>
      </AppShell.Navbar>
      <AppShell.Main id="main" ref={main} tabIndex={-1} style={{ outline: "none" }}>
        <div style={{ maxWidth: 1720, margin: "0 auto" }}>
          <Boundary name="This page" key={address}>
            <Outlet />
          </Boundary>
        </div>
      </AppShell.Main>
      <Palette />
    </AppShell>
  );
}

function RefreshMenu() {
  const { refresh, setRefresh } = useUi();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Tooltip label={refresh ? `Lists ask again every ${refresh} s` : "Lists do not ask again by themselves"}>
          <ActionIcon aria-label="How often lists ask again" size="lg" visibleFrom="xs">
            <IconRefresh size={17} stroke={1.7} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Ask again</Menu.Label>
        {REFRESHES.map((seconds) => (
          <Menu.Item key={seconds} onClick={() => setRefresh(seconds)} fw={seconds === refresh ? 650 : undefined}>
            {seconds === 0 ? "never" : `every ${seconds} s`}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function SchemeButton() {
  const scheme = useComputedColorScheme("light");
  const { setColorScheme } = useMantineColorScheme();
  const other = scheme === "dark" ? "light" : "dark";
  return (
    <Tooltip label={`Switch to ${other}`}>
      <ActionIcon aria-label={`Switch to ${other} colours`} size="lg" onClick={() => setColorScheme(other)}>
        {scheme === "dark" ? <IconSun size={17} stroke={1.7} /> : <IconMoon size={17} stroke={1.7} />}
      </ActionIcon>
    </Tooltip>
  );
}

function UserMenu() {
  const { session, leave } = useSession();
  const { zone, setZone } = useUi();
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon aria-label={`You are ${session.user}`} size="lg">
          <IconUser size={17} stroke={1.7} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.user} · {session.role}
          {session.mode === "open" ? " · this machine only" : ""}
        </Menu.Label>
        <Menu.Item onClick={() => setZone(zone === "local" ? "utc" : "local")}>
          Times in {zone === "local" ? `your zone (${Intl.DateTimeFormat().resolvedOptions().timeZone})` : "UTC"}
        </Menu.Item>
        <Menu.Item component={Link} to="/settings">
          Settings
        </Menu.Item>
        {session.mode === "session" ? (
          <>
            <Menu.Divider />
            <Menu.Item onClick={() => void leave()}>Log out</Menu.Item>
          </>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}
