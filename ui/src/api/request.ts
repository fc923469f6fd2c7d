// Requests as values: a method, an address and a body, made from the templates of the API's document. A template that is
// not there, a parameter that is missing or a member that nobody reads does not compile. Owns the addresses of the API;
// sending is `client.ts`'s. What comes back is named by whoever asks, since the document says little of it.
import type { paths } from "./generated";
import type { UndescribedQueries } from "./undescribed";

const BASE = "/api/v1";

export type QueryValue = string | number | boolean | null | undefined;
export type Query = Readonly<Record<string, QueryValue>>;

export interface ApiRequest<Method extends "GET" | "POST" | "PUT" | "DELETE" = "GET" | "POST" | "PUT" | "DELETE"> {
  readonly method: Method;
  /** The path below the API's own, with its parts escaped. Together with the query it names what is cached. */
  readonly route: string;
  readonly query: Query;
  readonly content?: { readonly type: "application/json" | "text/csv"; readonly text: string };
}

type Verb = "get" | "post" | "put" | "delete";

/** The paths of the document that have the method, without the API's own beginning. */
export type Template<V extends Verb> = {
  [Path in keyof paths]: Path extends `${typeof BASE}${infer Rest}`
    ? paths[Path][V] extends { responses: unknown }
      ? Rest
      : never
    : never;
}[keyof paths];

type Operation<V extends Verb, T extends string> = `${typeof BASE}${T}` extends infer Path extends keyof paths
  ? paths[Path][V]
  : never;

type Undescribed<All, V extends Verb, T extends string> = V extends keyof All
  ? T extends keyof All[V]
    ? All[V][T]
    : unknown
  : unknown;

// Of what neither the document nor the additions know, these are `unknown`.
type Content<V extends Verb, T extends string> =
  Operation<V, T> extends { requestBody: { content: infer Kinds } } ? Kinds : unknown;
type Body<V extends Verb, T extends string> = Content<V, T> extends { "application/json": infer Json } ? Json : unknown;
type Asked<V extends Verb, T extends string> = (Operation<V, T> extends { parameters: { query?: infer Members } }
  ? Loose<Exclude<Members, undefined>>
  : unknown) &
  Undescribed<UndescribedQueries, V, T>;

/** What may be left out of a query may also be null. */
type Loose<Members> = [Members] extends [never]
  ? unknown
  : { [Name in keyof Members]: undefined extends Members[Name] ? Members[Name] | null : Members[Name] };

type PathPart<V extends Verb, T extends string> =
  Operation<V, T> extends { parameters: { path: infer Names } }
    ? [path: { readonly [Name in keyof Names]: string | number }]
    : [];
type BodyPart<V extends Verb, T extends string> = unknown extends Body<V, T> ? [body?: undefined] : [body: Body<V, T>];
type QueryPart<V extends Verb, T extends string> =
  unknown extends Asked<V, T>
    ? []
    : Partial<Asked<V, T>> extends Asked<V, T>
      ? [query?: Asked<V, T>]
      : [query: Asked<V, T>];

/** What follows a template: what fills its gaps, if it has any, and the query. */
type Parts<V extends Verb, T extends string> = [...PathPart<V, T>, ...QueryPart<V, T>];
type PartsWithBody<V extends Verb, T extends string> = [...PathPart<V, T>, ...BodyPart<V, T>, ...QueryPart<V, T>];

/** The templates whose body is a file. */
type CsvTemplate = {
  [T in Template<"post">]: Content<"post", T> extends { "text/csv": string } ? T : never;
}[Template<"post">];

/** `get("/runs", { limit: 5 })`, `get("/runs/{run}", { run: id })`. */
export function get<T extends Template<"get">>(template: T, ...parts: Parts<"get", T>): ApiRequest<"GET"> {
  const [route, query] = filled(template, parts);
  return { method: "GET", route, query: queryOf(query) };
}

/** `post("/checks/run", { system, reason })`, `post("/runs/{run}/pause", { run: id }, { reason })`. */
export function post<T extends Exclude<Template<"post">, CsvTemplate>>(
  template: T,
  ...parts: PartsWithBody<"post", T>
): ApiRequest<"POST"> {
  const [route, body, query] = filled(template, parts);
  return { method: "POST", route, query: queryOf(query), content: json(body) };
}

export function put<T extends Template<"put">>(template: T, ...parts: PartsWithBody<"put", T>): ApiRequest<"PUT"> {
  const [route, body, query] = filled(template, parts);
  return { method: "PUT", route, query: queryOf(query), content: json(body) };
}

/** Removing takes no body: no handler would read one. */
export function remove<T extends Template<"delete">>(template: T, ...parts: Parts<"delete", T>): ApiRequest<"DELETE"> {
  const [route, query] = filled(template, parts);
  return { method: "DELETE", route, query: queryOf(query) };
}

export function postCsv<T extends CsvTemplate>(
  template: T,
  ...parts: [...PathPart<"post", T>, csv: string, ...QueryPart<"post", T>]
): ApiRequest<"POST"> {
  const [route, csv, query] = filled(template, parts);
  return { method: "POST", route, query: queryOf(query), content: { type: "text/csv", text: String(csv) } };
}

/** Where it is found, for links and streams too. What is empty in the query is left out. */
export function address({ route, query }: ApiRequest): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return BASE + (text ? `${route}?${text}` : route);
}

/** The route, and what is left of the parts once its gaps are filled. The types above say what the parts are. */
function filled(template: string, parts: readonly unknown[]): [route: string, ...left: unknown[]] {
  if (!template.includes("{")) return [template, ...parts];
  const [path, ...left] = parts;
  const values = path as Readonly<Record<string, string | number>>;
  return [template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name]))), ...left];
}

function queryOf(part: unknown): Query {
  return (part ?? {}) as Query;
}

function json(body: unknown): ApiRequest["content"] {
  return body === undefined ? undefined : { type: "application/json", text: JSON.stringify(body) };
}
