// One look for every state: a mark whose shape and colour agree, and the word. Colour is never the only sign.

export type Tone = "good" | "warn" | "bad" | "busy" | "idle" | "plain";

const TONES: Record<string, Tone> = {
  finished: "good", pass: "good", passed: "good", go: "good", synced: "good", on: "good", applied: "good", complete: "good",
  approved: "good", verified: "good", healthy: "good", ok: "good", done: "good", resolved: "good", available: "good", active: "good",
  equal: "good", completed: "good", soak: "good", delivered: "good", success: "good", open_gate: "good",
  warn: "warn", warning: "warn", inconclusive: "warn", paused: "warn", draft: "warn", limbo: "warn", partial: "warn", stopped: "warn",
  quarantined: "warn", skipped: "warn", incomplete: "warn", due_soon: "warn", acknowledged: "warn", postponed: "warn", pending: "warn",
  out_of_service: "warn", "finished with quarantine": "warn", degraded: "warn",
  fail: "bad", failed: "bad", error: "bad", errors: "bad", conflict: "bad", conflicted: "bad", "no-go": "bad", no_go: "bad", killed: "bad",
  cancelled: "bad", refused: "bad", rejected: "bad", firing: "bad", open: "bad", overdue: "bad", retired: "bad", breach: "bad", lost: "bad",
  dead_letter: "bad", unhealthy: "bad",
  running: "busy", syncing: "busy", queued: "busy", applying: "busy", planning: "busy", committed: "busy", "in progress": "busy",
  in_progress: "busy", snapshot: "busy", catch_up: "busy", verify: "busy", shadow_reads: "busy", canary: "busy", write_switch: "busy",
  going_back: "busy", ready: "busy", checked_out: "busy", calibration_due: "warn",
  off: "idle", waiting: "idle", unknown: "idle", discarded: "idle", archived: "idle", rolled_back: "idle", stored: "idle", none: "idle",
  superseded: "idle", scheduled: "idle",
};

export function toneOf(word: string): Tone {
  return TONES[word.toLowerCase()] ?? "plain";
}

export function Status({ word, tone, label }: { word: string; tone?: Tone; label?: string }) {
  return <span className={`status ${tone ?? toneOf(word)}`}>{label ?? word.replaceAll("_", " ")}</span>;
}
