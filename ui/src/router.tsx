// Every address of the app and the page behind it. Pages are loaded when they are first visited.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { ApiFailure } from "./api/failure";
import { Failed, Loading } from "./parts/States";
import { Shell } from "./shell/Shell";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => (
    <Failed error={new ApiFailure(404, [{ code: "not_found", detail: "there is no page of this address" }], null)} />
  ),
});

type Loads = () => Promise<Record<string, unknown>>;

function page(path: string, loads: Loads, name: string) {
  return createRoute({
    getParentRoute: () => root,
    path,
    component: lazyRouteComponent(loads as never, name as never) as never,
    pendingComponent: () => <Loading />,
  });
}

const routes = [
  page("/", () => import("./pages/overview/Overview"), "Overview"),
  page("/systems", () => import("./pages/systems/Systems"), "Systems"),
  page("/systems/$system", () => import("./pages/systems/SystemPage"), "SystemPage"),
  page("/plans", () => import("./pages/plans/Plans"), "Plans"),
  page("/plans/$plan", () => import("./pages/plans/PlanPage"), "PlanPage"),
  page("/runs", () => import("./pages/runs/Runs"), "Runs"),
  page("/runs/$run", () => import("./pages/runs/RunPage"), "RunPage"),
  page("/quarantine", () => import("./pages/quarantine/Quarantine"), "Quarantine"),
  page("/quarantine/$item", () => import("./pages/quarantine/QuarantinedPage"), "QuarantinedPage"),
  page("/history", () => import("./pages/history/History"), "History"),
  page("/flags", () => import("./pages/flags/Flags"), "Flags"),
  page("/flags/$flag", () => import("./pages/flags/FlagPage"), "FlagPage"),
  page("/sync", () => import("./pages/sync/Links"), "Links"),
  page("/sync/$system", () => import("./pages/sync/SyncPage"), "SyncPage"),
  page("/conflicts", () => import("./pages/sync/Conflicts"), "Conflicts"),
  page("/conflicts/$system", () => import("./pages/sync/Conflicts"), "Conflicts"),
  page("/records/$system", () => import("./pages/records/Records"), "Records"),
  page("/records/$system/$key", () => import("./pages/records/RecordPage"), "RecordPage"),
  page("/checks", () => import("./pages/checks/Checks"), "Checks"),
  page("/checks/$system/$check", () => import("./pages/checks/CheckPage"), "CheckPage"),
  page("/trials/$trial", () => import("./pages/trials/TrialPage"), "TrialPage"),
  page("/gates", () => import("./pages/gates/Gates"), "Gates"),
  page("/gates/$gate", () => import("./pages/gates/GatePage"), "GatePage"),
  page("/playbooks", () => import("./pages/playbooks/Playbooks"), "Playbooks"),
  page("/playbooks/$playbook", () => import("./pages/playbooks/PlaybookPage"), "PlaybookPage"),
  page("/playbook-runs/$run", () => import("./pages/playbooks/PlaybookRunPage"), "PlaybookRunPage"),
  page("/alerts", () => import("./pages/alerts/Alerts"), "Alerts"),
  page("/schedules", () => import("./pages/schedules/Schedules"), "Schedules"),
  page("/dashboards", () => import("./pages/dashboards/Dashboards"), "Dashboards"),
  page("/dashboards/$dashboard", () => import("./pages/dashboards/DashboardPage"), "DashboardPage"),
  page("/views/$system/$view", () => import("./pages/views/ViewPage"), "ViewPage"),
  page("/pilot", () => import("./pages/pilot/Pilot"), "Pilot"),
  page("/pilot/members/$member", () => import("./pages/pilot/MemberPage"), "MemberPage"),
  page("/pilot/certificates/$certificate", () => import("./pages/pilot/CertificatePage"), "CertificatePage"),
  page("/gauges", () => import("./pages/gauges/Gauges"), "Gauges"),
  page("/gauges/$set", () => import("./pages/gauges/GaugeSetPage"), "GaugeSetPage"),
  page("/sessions", () => import("./pages/sessions/Sessions"), "Sessions"),
  page("/sessions/$session", () => import("./pages/sessions/SessionPage"), "SessionPage"),
  page("/audit", () => import("./pages/settings/Audit"), "Audit"),
  page("/settings", () => import("./pages/settings/Settings"), "Settings"),
];

/** Filters are texts in the address, nothing cleverer: `?system=pfa&state=draft`. */
function readSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

function writeSearch(search: Record<string, unknown>): string {
  const kept = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return text ? `?${text}` : "";
}

export const router = createRouter({
  routeTree: root.addChildren(routes),
  parseSearch: readSearch,
  stringifySearch: writeSearch,
  defaultPreload: "intent",
  scrollRestoration: true,
});
