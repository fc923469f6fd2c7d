import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { List } from "../../api/types";
import { SessionProvider } from "../../shell/session";
import { answering } from "../../test/server";
import { show } from "../../test/show";
import { GaugeSetPage } from "./GaugeSetPage";
import { IncompleteSets } from "./IncompleteSets";
import type { Candidate, GaugeSet, Incomplete, Operated, Place } from "./types";

vi.mock("@tanstack/react-router", async (original) => ({
  ...(await original<typeof import("@tanstack/react-router")>()),
  useParams: () => ({ set: "SP0222" }),
}));
afterEach(() => vi.unstubAllGlobals());

const SET: GaugeSet = {
  set_id: "SP0222",
  likeness: {
    category: "SP",
    thread_size: ".500-20",
    thread_type: "standard",
    thread_form: "UNF",
    thread_class: "2A",
    gauge_type: "plug",
    hand: "RH",
    acme_starts: null,
    ownership: "company",
    owner: null,
  },
  created_at: "2026-01-01T00:00:00Z",
  ended_at: null,
  state: { membership: "complete", blocked: [], sealed: false, usable: true },
  members: [
    { side: "go", serial: "T-17", status: "available", sealed: false, location: "A-1", due_on: "2027-01-01" },
    { side: "nogo", serial: "T-18", status: "available", sealed: true, location: "A-1", due_on: "2027-02-01" },
  ],
};
const CANDIDATES: List<Candidate> = {
  items: [
    { serial: "T-40", fits: true, refused: [], notes: ["same place"], location: "A-1" },
    {
      serial: "T-41",
      fits: false,
      refused: [{ rule: "pair.class", text: "its class is 3A, not 2A" }],
      notes: [],
      location: "B-2",
    },
  ],
  total: 2,
  offset: 0,
  limit: 500,
};
function operated(entry: number): Operated {
  const at = "2026-11-30T00:00:00.000Z";
  return { entry, at, set: "SP0222", digest: "0", gauges: [], run: "r", rows: 3, dry_run: false };
}

const ROUTES = {
  "GET /gauge-sets/SP0222": SET,
  "GET /gauge-sets/SP0222/history": { items: [], total: 0, offset: 0, limit: 1000 },
  "GET /gauge-sets/SP0222/candidates": CANDIDATES,
  "GET /gauge-locations/A-1": {
    location: "A-1",
    kind: "bin",
    title: "Bin 1",
    zone: "North",
    building: "Lab",
    facility: null,
    active: true,
    allowed: "",
    gauges: 2,
    content: [{ serial: "T-17", name: null, status: "available", set_id: "SP0222" }],
  } satisfies Place,
  "POST /gauge-sets/SP0222/replace": operated(9),
  "POST /gauge-sets/SP0222/unpair": operated(10),
  "POST /gauge-sets/SP0222/retire": operated(11),
};

function page() {
  return show(
    <SessionProvider>
      <GaugeSetPage />
    </SessionProvider>,
  );
}

test("a set shows both gauges, and what they share once", async () => {
  answering(ROUTES);
  await page();
  const go = await screen.findByRole("region", { name: "GO" });
  expect(within(go).getByText("T-17")).toBeTruthy();
  expect(within(screen.getByRole("region", { name: "NO-GO" })).getByText("T-18")).toBeTruthy();
  expect(within(screen.getByRole("region", { name: "In common" })).getByText(".500-20")).toBeTruthy();
});

test("replacing names who fits and why another does not, and sends old, new and the reason", async () => {
  const sent = answering(ROUTES);
  await page();
  fireEvent.click(await screen.findByRole("button", { name: "Replace a gauge" }));
  const dialog = await screen.findByRole("dialog");
  expect(await within(dialog).findByText("its class is 3A, not 2A")).toBeTruthy();
  const [fitting, other] = within(dialog).getAllByRole("radio", { name: /T-4/ }) as HTMLInputElement[];
  expect([fitting?.disabled, other?.disabled]).toEqual([false, true]);
  const deed = within(dialog).getByRole("button", { name: "Replace gauge" }) as HTMLButtonElement;
  fireEvent.change(within(dialog).getByLabelText(/Reason/), { target: { value: "thread is chipped" } });
  expect(deed.disabled).toBe(true);
  if (fitting) fireEvent.click(fitting);
  fireEvent.click(deed);
  await waitFor(() => expect(sent).toHaveLength(1));
  expect(sent[0]).toEqual({
    method: "POST",
    route: "/gauge-sets/SP0222/replace",
    body: { old: "T-17", new: "T-40", reason: "thread is chipped", dry_run: false },
  });
});

test("one dialog unpairs and retires; retiring asks for a real reason", async () => {
  const sent = answering(ROUTES);
  await page();
  fireEvent.click(await screen.findByRole("button", { name: "Retire" }));
  const deed = () => screen.getByRole("button", { name: "Retire the set" }) as HTMLButtonElement;
  const reason = () => screen.getByLabelText(/Reason/);
  fireEvent.change(reason(), { target: { value: "worn" } });
  expect(deed().disabled).toBe(true);
  fireEvent.change(reason(), { target: { value: "both are worn out" } });
  fireEvent.click(deed());
  await waitFor(() => expect(sent.map((one) => one.route)).toEqual(["/gauge-sets/SP0222/retire"]));
  fireEvent.click(await screen.findByRole("button", { name: "Unpair" }));
  fireEvent.change(await screen.findByLabelText(/Reason/), { target: { value: "x" } });
  fireEvent.click(screen.getByRole("button", { name: "Unpair the set" }));
  await waitFor(() => expect(sent.at(-1)?.route).toBe("/gauge-sets/SP0222/unpair"));
});

test("a place opens with what is kept there", async () => {
  answering(ROUTES);
  await page();
  fireEvent.click((await screen.findAllByRole("button", { name: "A-1" }))[0] as HTMLElement);
  const dialog = await screen.findByRole("dialog");
  expect(await within(dialog).findByText("North, Lab")).toBeTruthy();
  expect(await within(dialog).findByText("T-17")).toBeTruthy();
});

test("incomplete sets: which side is missing, what is left, since when, and how many spares fit", async () => {
  answering({
    "GET /gauge-sets/incomplete": {
      items: [
        {
          set: "SP0007",
          missing: ["nogo"],
          remaining: "T-70",
          location: "C-3",
          since: "2026-11-01",
          age_days: 28,
          fitting: 2,
          best: "T-71",
        },
      ],
      total: 1,
      offset: 0,
      limit: 1000,
    } satisfies List<Incomplete>,
  });
  await show(
    <SessionProvider>
      <IncompleteSets />
    </SessionProvider>,
  );
  const row = (await screen.findAllByRole("row"))[1] as HTMLElement;
  expect(row.textContent).toContain("SP0007");
  for (const text of ["NO-GO", "T-70", "28 days", "2 spares"]) expect(row.textContent).toContain(text);
  expect(within(row).getByRole("button", { name: "Find replacement" })).toBeTruthy();
});
