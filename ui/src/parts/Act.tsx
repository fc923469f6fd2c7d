// One dialog for everything that changes something: says what, asks why, shows what it would do, does it, and tells how
// it is taken back. Owns the dry run and the reason; what is sent is the caller's.
import { Button, Code, CopyButton, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { asFailure } from "../api/failure";
import type { Undoable } from "../api/types";

export interface ActProps<T extends Undoable | null> {
  opened: boolean;
  onClose: () => void;
  title: string;
  about?: ReactNode;
  confirm: string;
  danger?: boolean;
  children?: ReactNode;
  /** Sends the request. With `dry` nothing may be written. */
  send: (reason: string, dry: boolean) => Promise<T>;
  /** Shows what a dry run said; without it there is none. */
  preview?: (answer: T) => ReactNode;
  onDone?: (answer: T) => void;
  /** The place where the deed leads; it is shown at once. Without one the page stays, and is read again first. */
  leadsTo?: (answer: T) => string | null | undefined;
  ready?: boolean;
  /** Whatever changes what a preview said; it is then asked again. */
  basis?: string;
  reasonLabel?: string;
  leastReason?: number;
  size?: string;
}

export function Act<T extends Undoable | null>(props: ActProps<T>) {
  const {
    opened,
    onClose,
    title,
    about,
    confirm,
    danger,
    children,
    send,
    preview,
    onDone,
    ready = true,
    basis,
  } = props;
  const least = props.leastReason ?? 1;
  const client = useQueryClient();
  const navigate = useNavigate();
  const [reason, setReason] = useState("");
  const [shown, setShown] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState<"no" | "dry" | "real">("no");
  // biome-ignore lint/correctness/useExhaustiveDependencies: another basis makes an old preview wrong
  useEffect(() => {
    setShown(null);
    setError(null);
  }, [basis, opened]);

  const go = async (dry: boolean) => {
    setBusy(dry ? "dry" : "real");
    setError(null);
    try {
      const answer = await send(reason.trim(), dry);
      if (dry) {
        setShown(answer);
        return;
      }
      const place = props.leadsTo?.(answer);
      const read = client.invalidateQueries();
      if (place) void navigate({ to: place });
      else await read;
      tell(title, answer?.undo ?? null);
      setReason("");
      onDone?.(answer);
      onClose();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy("no");
    }
  };
  const enough = reason.trim().length >= least;
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={600}>{title}</Text>} size={props.size ?? "lg"}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && enough) void go(false);
        }}
      >
        <Stack gap="sm">
          {about ? (
            <Text c="dimmed" component="div">
              {about}
            </Text>
          ) : null}
          {children}
          <Textarea
            label={props.reasonLabel ?? "Reason"}
            description={
              least > 1 ? `At least ${least} characters; kept for ever in the log` : "Kept for ever in the log"
            }
            required
            autosize
            minRows={2}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          {error ? <Problem error={error} /> : null}
          {shown && preview ? (
            <div role="status" aria-label="What would happen">
              {preview(shown)}
            </div>
          ) : null}
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>
              Close
            </Button>
            {preview ? (
              <Button
                variant="light"
                disabled={!ready || !enough || busy !== "no"}
                loading={busy === "dry"}
                onClick={() => void go(true)}
              >
                Preview
              </Button>
            ) : null}
            <Button
              type="submit"
              color={danger ? "red.9" : undefined}
              disabled={!ready || !enough || busy !== "no"}
              loading={busy === "real"}
            >
              {confirm}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

export function Problem({ error }: { error: unknown }) {
  const failure = asFailure(error);
  return (
    <div className="callout bad" role="alert">
      <Text fw={600}>{failure.kind === "absent" ? "Not available on this server" : failure.message}</Text>
      {failure.problems.slice(1).map((one) => (
        <Text key={one.detail} size="xs">
          {one.detail}
        </Text>
      ))}
      {failure.hint ? <Text size="xs">{failure.hint}</Text> : null}
    </div>
  );
}

/** Says that something was done and how it is taken back. */
export function tell(what: string, undo: string | null): void {
  notifications.show({
    title: what,
    autoClose: undo ? 12_000 : 5_000,
    message: undo ? (
      <Stack gap={4}>
        <Text size="xs">Take it back with</Text>
        <Code block style={{ whiteSpace: "pre-wrap" }}>
          {undo}
        </Code>
        <CopyButton value={undo}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="default" onClick={copy}>
              {copied ? "Copied" : "Copy"}
            </Button>
          )}
        </CopyButton>
      </Stack>
    ) : (
      "Done"
    ),
  });
}
