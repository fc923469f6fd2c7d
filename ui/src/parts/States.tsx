// What a panel shows when it has no data to show: it loads, there is none, it failed, it is not allowed, or this server
// does not have the route. Each says what can be done next.
import { Button, Code, Group, Loader, Skeleton, Stack, Text } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCloudOff,
  IconInbox,
  IconLock,
  IconPlugConnectedX,
  IconSearchOff,
} from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { asFailure, type FailureKind } from "../api/failure";

export function Note({ icon, title, children }: { icon: ReactNode; title: string; children?: ReactNode }) {
  return (
    <Stack align="center" gap={6} py={28} px="md" ta="center">
      <Text c="dimmed" component="span" aria-hidden style={{ lineHeight: 0 }}>
        {icon}
      </Text>
      <Text fw={550}>{title}</Text>
      {children}
    </Stack>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Note icon={<IconInbox size={26} stroke={1.4} />} title={title}>
      {children ? (
        <Text c="dimmed" maw={460} component="div">
          {children}
        </Text>
      ) : null}
    </Note>
  );
}

export function Loading({ lines = 4 }: { lines?: number }) {
  return (
    <Stack gap={8} p="sm" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of a placeholder never move
        <Skeleton key={line} height={14} radius={3} width={`${92 - ((line * 17) % 40)}%`} />
      ))}
    </Stack>
  );
}

export function Busy({ what }: { what: string }) {
  return (
    <Group gap={8} role="status">
      <Loader size={14} />
      <Text c="dimmed">{what}</Text>
    </Group>
  );
}

const FACES: Record<FailureKind, { title: string; icon: ReactNode }> = {
  absent: { title: "Not available on this server", icon: <IconPlugConnectedX size={26} stroke={1.4} /> },
  missing: { title: "Nothing here", icon: <IconSearchOff size={26} stroke={1.4} /> },
  unauthorized: { title: "Log in to see this", icon: <IconLock size={26} stroke={1.4} /> },
  forbidden: { title: "You may not see this", icon: <IconLock size={26} stroke={1.4} /> },
  refused: { title: "Refused", icon: <IconAlertTriangle size={26} stroke={1.4} /> },
  unreachable: { title: "The server cannot be reached", icon: <IconCloudOff size={26} stroke={1.4} /> },
  failed: { title: "This could not be loaded", icon: <IconAlertTriangle size={26} stroke={1.4} /> },
};

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const failure = asFailure(error);
  const face = FACES[failure.kind];
  const absent = failure.kind === "absent";
  return (
    <Note icon={face.icon} title={face.title}>
      <Text c="dimmed" maw={520} role={absent ? undefined : "alert"}>
        {absent
          ? "The server that answers here does not offer this yet. Everything else works; nothing is shown in its place."
          : failure.message}
      </Text>
      {!absent && failure.hint ? (
        <Text c="dimmed" maw={520}>
          {failure.hint}
        </Text>
      ) : null}
      {failure.requestId && !absent ? (
        <Text c="dimmed" size="xs">
          request <Code>{failure.requestId}</Code>
        </Text>
      ) : null}
      {retry && !absent && failure.kind !== "forbidden" ? (
        <Button variant="default" onClick={retry}>
          Try again
        </Button>
      ) : null}
    </Note>
  );
}

/** Shows the data of a query, or the state that stands in its place. */
export function Answer<T>({
  query,
  children,
  loading,
}: {
  query: UseQueryResult<T>;
  children: (data: T) => ReactNode;
  loading?: ReactNode;
}) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  return <>{loading ?? <Loading />}</>;
}
