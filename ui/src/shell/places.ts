// The places of the app: what the navigation, the palette and links name. Owns addresses, so that no page spells one.

import type { Icon } from "@tabler/icons-react";
import {
  IconActivity,
  IconBell,
  IconBook2,
  IconCalendarTime,
  IconChartHistogram,
  IconChecklist,
  IconFlag,
  IconGauge,
  IconGitCompare,
  IconHistory,
  IconLayoutDashboard,
  IconMessages,
  IconPlayerPlay,
  IconRefresh,
  IconRoute,
  IconServer2,
  IconSettings,
  IconShieldCheck,
  IconTable,
  IconTrafficLights,
  IconZoomExclamation,
} from "@tabler/icons-react";

export interface Place {
  title: string;
  to: string;
  icon: Icon;
  words?: string;
}

export const GROUPS: { title: string; places: Place[] }[] = [
  {
    title: "",
    places: [
      { title: "Overview", to: "/", icon: IconLayoutDashboard, words: "home health" },
      { title: "Systems", to: "/systems", icon: IconServer2, words: "tables changes store" },
      { title: "Dashboards", to: "/dashboards", icon: IconChartHistogram, words: "charts analytics views" },
    ],
  },
  {
    title: "Change",
    places: [
      { title: "Plans", to: "/plans", icon: IconGitCompare, words: "row diff approve apply assess" },
      { title: "Runs", to: "/runs", icon: IconPlayerPlay, words: "batches undo resume pause" },
      { title: "Quarantine", to: "/quarantine", icon: IconZoomExclamation, words: "repair replay bad rows" },
      { title: "Row history", to: "/history", icon: IconHistory, words: "versions audit" },
    ],
  },
  {
    title: "Watch",
    places: [
      { title: "Checks", to: "/checks", icon: IconChecklist, words: "quality rules findings" },
      { title: "Alerts", to: "/alerts", icon: IconBell, words: "incidents" },
      { title: "Schedules", to: "/schedules", icon: IconCalendarTime, words: "cron" },
    ],
  },
  {
    title: "Release",
    places: [
      { title: "Flags", to: "/flags", icon: IconFlag, words: "rollout targeting percentage kill" },
      { title: "Gates", to: "/gates", icon: IconTrafficLights, words: "readiness go no-go evidence" },
      { title: "Playbooks", to: "/playbooks", icon: IconBook2, words: "steps rollback" },
      { title: "Pilot", to: "/pilot", icon: IconRoute, words: "luckygas migration cohort certificate parity" },
    ],
  },
  {
    title: "Records",
    places: [
      { title: "Sync", to: "/sync", icon: IconRefresh, words: "lag queue limbo dead letters link" },
      { title: "Conflicts", to: "/conflicts", icon: IconActivity, words: "inbox base mine theirs rules" },
      { title: "Equipment plans", to: "/records/pfa", icon: IconTable, words: "pfa grid drafts import" },
      { title: "Gauge sets", to: "/gauges", icon: IconGauge, words: "go no-go calibration replace retire" },
      { title: "Agent sessions", to: "/sessions", icon: IconMessages, words: "opencode traces cost tokens transcript" },
    ],
  },
  {
    title: "",
    places: [
      { title: "Audit", to: "/audit", icon: IconShieldCheck, words: "log mutations actors" },
      { title: "Settings", to: "/settings", icon: IconSettings, words: "users tokens roles" },
    ],
  },
];

export const PLACES: Place[] = GROUPS.flatMap((group) => group.places);

const part = encodeURIComponent;

export const href = {
  run: (id: string) => `/runs/${part(id)}`,
  plan: (id: string) => `/plans/${part(id)}`,
  quarantined: (id: string) => `/quarantine/${part(id)}`,
  flag: (name: string) => `/flags/${part(name)}`,
  system: (name: string) => `/systems/${part(name)}`,
  sync: (system: string) => `/sync/${part(system)}`,
  conflicts: (system: string) => `/conflicts/${part(system)}`,
  records: (system: string) => `/records/${part(system)}`,
  record: (system: string, key: string) => `/records/${part(system)}/${part(key)}`,
  check: (system: string, check: string) => `/checks/${part(system)}/${part(check)}`,
  trial: (id: string) => `/trials/${part(id)}`,
  gate: (name: string) => `/gates/${part(name)}`,
  playbook: (name: string) => `/playbooks/${part(name)}`,
  playbookRun: (id: string) => `/playbook-runs/${part(id)}`,
  dashboard: (name: string) => `/dashboards/${part(name)}`,
  member: (key: string) => `/pilot/members/${part(key)}`,
  certificate: (id: string) => `/pilot/certificates/${part(id)}`,
  gaugeSet: (id: string) => `/gauges/${part(id)}`,
  view: (system: string, view: string) => `/views/${part(system)}/${part(view)}`,
  session: (id: string) => `/sessions/${part(id)}`,
};
