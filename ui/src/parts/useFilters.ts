// Filters live in the address, so that every filtered page can be linked to, reloaded and gone back to.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

export type Search = Record<string, string | undefined>;

export function useFilters(): [Search, (changes: Search) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const set = useCallback(
    (changes: Search) => {
      void navigate({
        to: ".",
        replace: true,
        search: ((before: Search) => {
          const after: Search = { ...before };
          for (const [name, value] of Object.entries(changes)) {
            if (value === undefined || value === "") delete after[name];
            else after[name] = value;
          }
          return after;
        }) as never,
      });
    },
    [navigate],
  );
  return [search, set];
}
