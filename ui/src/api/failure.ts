// What went wrong with a request, as the server says it: one shape for every route (docs/guide/server.md).

/** One entry of the server's envelope. */
export interface Problem {
  code: string;
  detail: string;
  hint?: string;
}

/** How a page shows a failure. */
export type FailureKind = "absent" | "missing" | "unauthorized" | "forbidden" | "refused" | "unreachable" | "failed";

/** The words with which the server says that it does not have a route at all. */
const NO_ROUTE = "there is no such route";

export class ApiFailure extends Error {
  readonly status: number;
  readonly problems: Problem[];
  readonly requestId: string | null;

  constructor(status: number, problems: Problem[], requestId: string | null) {
    super(problems[0]?.detail ?? `the server answered ${status}`);
    this.name = "ApiFailure";
    this.status = status;
    this.problems = problems;
    this.requestId = requestId;
  }

  get hint(): string | undefined {
    return this.problems[0]?.hint;
  }

  get kind(): FailureKind {
    if (this.status === 0) return "unreachable";
    if (this.status === 401) return "unauthorized";
    if (this.status === 403) return "forbidden";
    if (this.status === 409 || this.status === 400) return "refused";
    if (this.status === 405) return "absent";
    if (this.status === 404) return this.problems.some((one) => one.detail === NO_ROUTE) ? "absent" : "missing";
    return "failed";
  }
}

/** Reads the envelope, whatever stands in the body. */
export function failureOf(status: number, body: unknown, requestId: string | null): ApiFailure {
  const entries = (body as { errors?: unknown } | null)?.errors;
  const problems = Array.isArray(entries)
    ? entries.filter((one): one is Problem => typeof (one as Problem)?.detail === "string")
    : [];
  if (problems.length === 0 && status === 404) {
    return new ApiFailure(status, [{ code: "not_found", detail: NO_ROUTE }], requestId);
  }
  return new ApiFailure(status, problems, requestId);
}

/** Any error as a failure that can be shown. */
export function asFailure(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new ApiFailure(-1, [{ code: "app", detail }], null);
}
