// How pages ask: one hook over the cache, asking again as often as the reader chose, never for a route that is not there.
import { keepPreviousData, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useUi } from "../state/ui";
import { api, type Query } from "./client";
import { ApiFailure } from "./failure";

export interface Asking {
  /** `false`: never ask again by itself. A number: seconds. */
  every?: number | false;
  enabled?: boolean;
}

export function useApi<T>(route: string, query?: Query, { every, enabled = true }: Asking = {}): UseQueryResult<T> {
  const refresh = useUi((state) => state.refresh);
  const seconds = every === undefined ? refresh : every || 0;
  return useQuery<T>({
    queryKey: [route, query ?? {}],
    queryFn: ({ signal }) => api.get<T>(route, query, signal),
    enabled,
    placeholderData: keepPreviousData,
    refetchInterval: (state) => {
      const error = state.state.error;
      if (error instanceof ApiFailure && error.kind !== "unreachable" && error.kind !== "failed") return false;
      return seconds > 0 ? seconds * 1000 : false;
    },
  });
}

/** Whether asking again may help: not when the server has said no. */
export function worthRetry(failures: number, error: unknown): boolean {
  if (error instanceof ApiFailure && error.status >= 400 && error.status < 500 && error.status !== 429) return false;
  return failures < 2;
}
