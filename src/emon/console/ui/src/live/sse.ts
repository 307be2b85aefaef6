// Parser of server-sent events (WHATWG HTML, section 9.2), as a fold over text chunks. The browser's own
// EventSource cannot say `Last-Event-ID` after a page was reloaded or a server answered an error; fetch can.

export interface ServerEvent {
  name: string;
  data: string;
  id: string | null;
}

export interface Parse {
  events: ServerEvent[];
  rest: string;
}

/** Events completed by `chunk` after `rest` of the chunk before; the new rest is an unfinished event. */
export function parse(rest: string, chunk: string): Parse {
  const text = (rest + chunk).replace(/\r\n?/g, (ending, offset: number, whole: string) =>
    ending === "\r" && offset === whole.length - 1 ? ending : "\n",
  ); // a lone CR at the end may be half a CRLF
  const blocks = text.split("\n\n");
  const unfinished = blocks.pop() ?? "";
  return { events: blocks.map(event).filter((found) => found !== null), rest: unfinished };
}

function event(block: string): ServerEvent | null {
  let name = "message";
  let id: string | null = null;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue; // a comment: proof of life only
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
  }
  return data.length === 0 && id === null ? null : { name, data: data.join("\n"), id };
}
