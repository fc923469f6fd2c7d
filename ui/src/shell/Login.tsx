// Name and password. Owns nothing but the form; the server decides, slows down guessing and sets the cookie.
import { Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import { api } from "../api/client";
import { post } from "../api/request";
import type { Session } from "../api/types";
import { Problem } from "../parts/Act";
import { Mark } from "./Mark";

export function Login({ onDone }: { onDone: (session: Session) => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  return (
    <main style={{ minHeight: "100dvh", display: "grid", placeItems: "center", padding: 16 }}>
      <Paper withBorder p="xl" w="min(360px, 100%)" radius="md">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            setBusy(true);
            setError(null);
            api
              .send<Session>(post("/session", { name, password }))
              .then(onDone)
              .catch(setError)
              .finally(() => setBusy(false));
          }}
        >
          <Stack gap="sm">
            <Mark size={32} />
            <Title order={1}>Log in to Plimsoll</Title>
            <Text c="dimmed">The load line for live data.</Text>
            <TextInput
              size="sm"
              label="Name"
              autoComplete="username"
              required
              autoFocus
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <PasswordInput
              label="Password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
            {error ? <Problem error={error} /> : null}
            <Button type="submit" size="sm" loading={busy} disabled={!name || !password}>
              Log in
            </Button>
          </Stack>
        </form>
      </Paper>
    </main>
  );
}
