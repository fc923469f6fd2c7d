// How pages ask: one hook over the cache, asking again as often as the reader chose, never for a route that is not there.
import { keepPreviousData, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useUi } from "../state/ui";
import { api } from "./client";
import { ApiFailure } from "./failure";
import type { ApiRequest } from "./request";

export interface Asking {
  /** `false`: never ask again by itself. A number: seconds. */
  every?: number | false;
  enabled?: boolean;
}

export function useApi<Answer>(
  request: ApiRequest<"GET">,
  { every, enabled = true }: Asking = {},
): UseQueryResult<Answer> {
  const refresh = useUi((state) => state.refresh);
  const seconds = every === undefined ? refresh : every || 0;
  return useQuery<Answer>({
    queryKey: [request.route, request.query],
    queryFn: ({ signal }) => api.send<Answer>(request, signal),
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
