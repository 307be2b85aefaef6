import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "./sse.ts";

test("events may be cut anywhere between chunks", () => {
  const text = 'id: 7\r\nevent: alert\r\ndata: {"a":1}\r\n\r\n: beat\r\n\r\ndata: x\r\ndata: y\r\n\r\n';
  for (let cut = 0; cut <= text.length; cut += 1) {
    const first = parse("", text.slice(0, cut));
    const second = parse(first.rest, text.slice(cut));
    assert.deepEqual(
      [...first.events, ...second.events],
      [
        { name: "alert", data: '{"a":1}', id: "7" },
        { name: "message", data: "x\ny", id: null },
      ],
      `cut at ${cut}`,
    );
  }
});

test("an unfinished event waits", () => {
  assert.deepEqual(parse("", "data: half\n"), { events: [], rest: "data: half\n" });
});
