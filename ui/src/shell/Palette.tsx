// The command palette: places, systems, what was visited, and what the server finds. Keyboard first.
import { Modal, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useId, useMemo, useState } from "react";
import { useApi } from "../api/queries";
import { get } from "../api/request";
import type { List, SystemInfo } from "../api/types";
import { useUi } from "../state/ui";
import { PLACES } from "./places";

/** What the server finds. A system or a detail that there is not is empty. */
export interface Found {
  kind: string;
  system: string;
  title: string;
  detail: string;
  href: string;
}

/** How well a text answers what was typed: all words, the earlier the better. Zero is no answer. */
export function score(typed: string, text: string): number {
  const hay = text.toLowerCase();
  let sum = 0;
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = hay.indexOf(word);
    if (at < 0) return 0;
    sum += at === 0 ? 4 : hay[at - 1] === " " ? 3 : 1;
  }
  return sum || 1;
}

/** Only addresses of this app are followed, whatever a server says. */
export function ownHref(address: string): string | null {
  return address.startsWith("/") && !address.startsWith("//") && !address.startsWith("/\\") ? address : null;
}

/** The page of this app for what the server found: its addresses name things plainly, ours escape them. */
export function pageOf(found: Pick<Found, "kind" | "href">): string | null {
  const address = ownHref(found.href);
  if (!address) return null;
  const history = /^\/systems\/([^/]+)\/history\?table=(.+)$/.exec(address);
  if (history) return `/history?system=${history[1]}&table=${history[2]}`;
  const named = /^\/(alerts|gates|flags|playbooks|dashboards)\/(.+)$/.exec(address);
  if (!named || found.kind === "recent") return address;
  const [, kind, name = ""] = named;
  const part = encodeURIComponent(decoded(name));
  return kind === "alerts" ? `/alerts?incident=${part}` : `/${kind}/${part}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const MOST = 14;

export function Palette() {
  const { paletteOpen, setPalette, recent } = useUi();
  const [typed, setTyped] = useState("");
  const [asked] = useDebouncedValue(typed.trim(), 200);
  const [active, setActive] = useState(0);
  const navigate = useNavigate();
  const list = useId();
  const systems = useApi<SystemInfo[]>(get("/systems"), { every: false, enabled: paletteOpen });
  const search = useApi<List<Found>>(get("/search", { q: asked }), {
    every: false,
    enabled: paletteOpen && asked.length > 1,
  });
  const found = useMemo(() => {
    const own: (Found & { rank: number })[] = [
      ...PLACES.map((place) => ({ kind: "page", title: place.title, href: place.to, detail: place.words ?? "" })),
      ...(systems.data ?? []).map((one) => ({
        kind: "system",
        title: one.name,
        detail: one.title,
        href: `/systems/${encodeURIComponent(one.name)}`,
      })),
    ].map((one) => ({ ...one, system: "", rank: score(typed, `${one.title} ${one.detail}`) }));
    const visited: Found[] = typed ? [] : recent.map((one) => ({ ...one, kind: "recent", system: "", detail: "" }));
    const fromServer = asked.length > 1 && typed ? (search.data?.items ?? []) : [];
    const places = own.filter((one) => one.rank > 0).sort((left, right) => right.rank - left.rank);
    return [...visited, ...places, ...fromServer].filter((one) => ownHref(one.href)).slice(0, MOST);
  }, [typed, asked, recent, systems.data, search.data]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other words, other answers
  useEffect(() => setActive(0), [typed]);

  const go = (one: Found | undefined) => {
    const address = one && pageOf(one);
    if (!address) return;
    setPalette(false);
    setTyped("");
    void navigate({ to: address });
  };
  const keys = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) {
      event.preventDefault();
      setActive((now) => (now + step + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(found[active]);
    }
  };
  return (
    <Modal.Root opened={paletteOpen} onClose={() => setPalette(false)} size="lg">
      <Modal.Overlay />
      <Modal.Content aria-label="Search and commands">
        <Modal.Body p={0}>
          <TextInput
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            onKeyDown={keys}
            placeholder="Search or go to…"
            aria-label="Search or go to"
            role="combobox"
            aria-expanded="true"
            aria-controls={list}
            aria-activedescendant={found.length ? `${list}-${active}` : undefined}
            leftSection={<IconSearch size={16} />}
            size="md"
            variant="unstyled"
            px="sm"
            data-autofocus
          />
          <div
            id={list}
            role="listbox"
            aria-label="Answers"
            tabIndex={-1}
            style={{ borderTop: "1px solid var(--pl-line)", padding: 6, maxHeight: "60vh", overflow: "auto" }}
          >
            {found.map((one, position) => (
              <div
                key={`${one.kind} ${one.href} ${one.title}`}
                id={`${list}-${position}`}
                role="option"
                aria-selected={position === active}
                onClick={() => go(one)}
                onMouseMove={() => setActive(position)}
                className="nav-link"
                style={{ cursor: "pointer", background: position === active ? "var(--pl-hover)" : undefined }}
              >
                <Text size="xs" c="dimmed" w={64} component="span">
                  {one.kind}
                </Text>
                <Text component="span" fw={500}>
                  {one.title}
                </Text>
                <Text component="span" c="dimmed" truncate>
                  {one.system ? `${one.system} · ` : ""}
                  {one.kind === "page" ? "" : one.detail}
                </Text>
              </div>
            ))}
            {found.length === 0 ? (
              <Text c="dimmed" p="sm">
                Nothing of that name.
              </Text>
            ) : null}
          </div>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
