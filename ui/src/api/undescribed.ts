// What requests carry beyond what the API's document can say of their routes: members of a query that only a system, a
// view or a dashboard knows. It is added to the document's own words and never replaces them.
import type { QueryValue } from "./request";

/** Parameters of views. */
interface AnyMember {
  [name: string]: QueryValue;
}

/** Fields of records. */
export interface FieldMembers {
  [name: `field.${string}`]: QueryValue;
}

/** Queries by method and template. */
export interface UndescribedQueries {
  get: {
    "/systems/{system}/records": FieldMembers;
    "/systems/{system}/figures": FieldMembers;
    "/views/{system}/{view}": AnyMember;
    "/dashboards/{name}/panels/{panel}": AnyMember;
  };
}
