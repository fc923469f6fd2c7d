// Live events of the server. The browser reconnects by itself and names the last id it received; the hook adds only what
// a page needs: the newest events, whether the stream stands, and an end.
import { useEffect, useRef, useState } from "react";
import { type ApiRequest, address } from "./request";

export type StreamState = "off" | "connecting" | "live" | "lost";

export function useEvents(
  request: ApiRequest<"GET">,
  kinds: readonly string[],
  onEvent: (kind: string, data: unknown, id: string) => void,
  enabled = true,
): StreamState {
  const [state, setState] = useState<StreamState>("off");
  const handler = useRef(onEvent);
  handler.current = onEvent;
  const names = kinds.join(" ");
  const from = address(request);
  useEffect(() => {
    if (!enabled || typeof EventSource === "undefined") {
      setState("off");
      return;
    }
    setState("connecting");
    const source = new EventSource(from);
    source.onopen = () => setState("live");
    // A route that is not there closes the stream for good; a lost connection is taken up again by the browser.
    source.onerror = () => setState(source.readyState === EventSource.CLOSED ? "off" : "lost");
    const take = (event: MessageEvent) => {
      let data: unknown = event.data;
      try {
        data = JSON.parse(String(event.data));
      } catch {
        // Text stays text.
      }
      handler.current(event.type, data, event.lastEventId);
    };
    for (const kind of names.split(" ")) source.addEventListener(kind, take as EventListener);
    return () => source.close();
  }, [from, names, enabled]);
  return state;
}
