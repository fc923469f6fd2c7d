// Who uses the app, and what they may do. Owns the session, log in and log out. What a role may do is decided by the
// server; the app only keeps from offering what would be refused.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo } from "react";
import { api, onSessionEnd, setCsrf } from "../api/client";
import { ApiFailure } from "../api/failure";
import { get, remove } from "../api/request";
import { ROLES, type Role, type Session } from "../api/types";
import { Busy, Failed } from "../parts/States";
import { Login } from "./Login";

interface Known {
  session: Session;
  can: (role: Role, system?: string) => boolean;
  leave: () => Promise<void>;
}

const Context = createContext<Known | null>(null);

/** A server without sessions is open to its own machine; everybody there is `local`. */
const OPEN: Session = { mode: "open", user: "local", role: "admin", roles: {}, csrf: null };

async function ask(): Promise<Session | null> {
  try {
    return await api.send<Session>(get("/session"));
  } catch (error) {
    if (error instanceof ApiFailure && error.kind === "absent") return OPEN;
    if (error instanceof ApiFailure && error.kind === "unauthorized") return null;
    throw error;
  }
}

export function allows(session: Session, role: Role, system?: string): boolean {
  const held = [session.role, system ? session.roles[system] : undefined, session.roles["*"]];
  return held.some((one) => one && ROLES.indexOf(one) >= ROLES.indexOf(role));
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const query = useQuery({ queryKey: ["session"], queryFn: ask, staleTime: 60_000, retry: 1 });
  const session = query.data ?? null;
  setCsrf(session?.csrf ?? null);
  useEffect(() => onSessionEnd(() => client.setQueryData(["session"], null)), [client]);
  const leave = useCallback(async () => {
    await api.send(remove("/session"));
    client.clear();
    client.setQueryData(["session"], null);
  }, [client]);
  const known = useMemo<Known | null>(
    () => session && { session, leave, can: (role, system) => allows(session, role, system) },
    [session, leave],
  );
  if (query.isPending) {
    return (
      <div style={{ padding: 24 }}>
        <Busy what="Asking the server who you are" />
      </div>
    );
  }
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (!known) return <Login onDone={(one) => client.setQueryData(["session"], one)} />;
  return <Context.Provider value={known}>{children}</Context.Provider>;
}

export function useSession(): Known {
  const known = useContext(Context);
  if (!known) throw new Error("there is no session here");
  return known;
}
