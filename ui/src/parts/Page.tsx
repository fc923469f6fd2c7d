// The frame of a page and of its panels. Every panel is inside its own boundary.
import { Anchor, Group, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useId } from "react";
import { useUi } from "../state/ui";
import { Boundary } from "./Boundary";

export interface Crumb {
  title: string;
  to: string;
}

export function Page({
  title,
  crumbs = [],
  about,
  actions,
  children,
}: {
  title: string;
  crumbs?: Crumb[];
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const visit = useUi((state) => state.visit);
  useEffect(() => {
    document.title = `${title} · Plimsoll`;
    visit(window.location.pathname + window.location.search, title);
  }, [title, visit]);
  return (
    <Stack gap={12}>
      <Group justify="space-between" align="flex-end" gap="sm" wrap="wrap">
        <div style={{ minWidth: 0 }}>
          {crumbs.length > 0 ? (
            <Text size="xs" c="dimmed" component="nav" aria-label="Above">
              {crumbs.map((crumb) => (
                <span key={crumb.to}>
                  <Anchor component={Link} to={crumb.to} c="dimmed" underline="always">
                    {crumb.title}
                  </Anchor>
                  {" / "}
                </span>
              ))}
            </Text>
          ) : null}
          <Title order={1} style={{ overflowWrap: "anywhere" }}>
            {title}
          </Title>
          {about ? (
            <Text c="dimmed" component="div">
              {about}
            </Text>
          ) : null}
        </div>
        {actions ? (
          <Group gap={8} className="no-print">
            {actions}
          </Group>
        ) : null}
      </Group>
      {children}
    </Stack>
  );
}

export function Panel({
  title,
  actions,
  children,
  flush = false,
  className,
  note,
}: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
  flush?: boolean;
  className?: string;
  note?: ReactNode;
}) {
  const heading = useId();
  return (
    <section className={`panel ${className ?? ""}`} aria-labelledby={heading}>
      <header>
        <Title order={2} id={heading}>
          {title}
        </Title>
        {note ? (
          <Text c="dimmed" size="xs" component="span">
            {note}
          </Text>
        ) : null}
        {actions ? (
          <Group gap={6} ml="auto" className="no-print">
            {actions}
          </Group>
        ) : null}
      </header>
      <div className={flush ? "body flush" : "body"}>
        <Boundary name={title}>{children}</Boundary>
      </div>
    </section>
  );
}

/** Something that the reader has to know before the rest. */
export function Callout({
  tone,
  title,
  children,
}: {
  tone: "good" | "warn" | "bad";
  title: string;
  children?: ReactNode;
}) {
  return (
    <div className={`callout ${tone}`} role="note">
      <Text fw={600}>{title}</Text>
      {children}
    </div>
  );
}

export interface Figure {
  label: string;
  value: ReactNode;
  hint?: string;
  to?: string;
}

/** Figures in a row, each with its name; a figure with an address is a link. */
export function Stats({ figures }: { figures: Figure[] }) {
  return (
    <div className="stats">
      {figures.map((figure) => (
        <div key={figure.label} title={figure.hint}>
          <Text size="xs" c="dimmed">
            {figure.label}
          </Text>
          <Text component="div" fz={20} fw={600} className="num" lh={1.3}>
            {figure.to ? (
              <Anchor component={Link} to={figure.to} c="inherit" fw="inherit" underline="hover">
                {figure.value}
              </Anchor>
            ) : (
              figure.value
            )}
          </Text>
        </div>
      ))}
    </div>
  );
}

/** Names and what they stand for. */
export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl style={{ display: "grid", gridTemplateColumns: "minmax(96px, max-content) 1fr", gap: "5px 16px", margin: 0 }}>
      {facts.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <Text component="dt" c="dimmed">
            {name}
          </Text>
          <Text component="dd" m={0} style={{ overflowWrap: "anywhere" }}>
            {value}
          </Text>
        </div>
      ))}
    </dl>
  );
}
