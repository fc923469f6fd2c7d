// The one store of what the app itself remembers: not data of the server, which lives in the query cache (PFA-19).
import { create } from "zustand";
import { persist } from "zustand/middleware";

/** How often lists ask again, in seconds; 0 never. */
export const REFRESHES = [0, 5, 15, 60] as const;
export type Refresh = (typeof REFRESHES)[number];

export interface UiState {
  paletteOpen: boolean;
  navOpen: boolean;
  refresh: Refresh;
  zone: "local" | "utc";
  recent: { href: string; title: string }[];
  setPalette(open: boolean): void;
  setNav(open: boolean): void;
  setRefresh(refresh: Refresh): void;
  setZone(zone: "local" | "utc"): void;
  visit(href: string, title: string): void;
}

const KEPT_VISITS = 8;

export const useUi = create<UiState>()(
  persist(
    (set) => ({
      paletteOpen: false,
      navOpen: false,
      refresh: 15,
      zone: "local",
      recent: [],
      setPalette: (paletteOpen) => set({ paletteOpen }),
      setNav: (navOpen) => set({ navOpen }),
      setRefresh: (refresh) => set({ refresh }),
      setZone: (zone) => set({ zone }),
      visit: (href, title) =>
        set(({ recent }) => ({
          recent: [{ href, title }, ...recent.filter((one) => one.href !== href)].slice(0, KEPT_VISITS),
        })),
    }),
    {
      name: "plimsoll-ui",
      partialize: ({ refresh, zone, recent }) => ({ refresh, zone, recent }),
    },
  ),
);
