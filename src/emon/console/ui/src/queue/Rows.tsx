// A list of any length: only the rows in view (and the selected one) are in the document.

import {
  type ReactNode,
  type Ref,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Alert } from "../types.ts";

const SPARE = 6; // rows drawn beyond each edge, so that a fast scroll shows no holes

export interface RowsHandle {
  reveal: (index: number) => void;
}

interface Props {
  alerts: Alert[];
  rowHeight: number;
  label: string;
  selected: number | null;
  maxHeight?: number;
  onEngaged: (engaged: boolean) => void;
  render: (alert: Alert) => ReactNode;
  ref?: Ref<RowsHandle>;
}

export function Rows({ alerts, rowHeight, label, selected, maxHeight, onEngaged, render, ref }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      watch.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);
  useImperativeHandle(
    ref,
    () => ({
      reveal: (index) => {
        const element = box.current;
        if (!element) return;
        const top = index * rowHeight;
        if (top < element.scrollTop) element.scrollTop = top;
        else if (top + rowHeight > element.scrollTop + element.clientHeight)
          element.scrollTop = top + rowHeight - element.clientHeight;
      },
    }),
    [rowHeight],
  );
  useEffect(() => () => onEngaged(false), [onEngaged]);
  const first = Math.max(0, Math.floor(view.top / rowHeight) - SPARE);
  const last = Math.min(alerts.length, Math.ceil((view.top + view.height) / rowHeight) + SPARE);
  const shown = alerts.slice(first, last).map((alert, i) => ({ alert, index: first + i }));
  const at = selected === null ? -1 : alerts.findIndex((alert) => alert.id === selected);
  if (at >= 0 && (at < first || at >= last)) shown.push({ alert: alerts[at]!, index: at });
  const height = alerts.length * rowHeight;
  return (
    <div
      className={maxHeight === undefined ? "rows long" : "rows"}
      ref={box}
      style={maxHeight === undefined ? undefined : { height: Math.min(height, maxHeight), flex: "none" }}
      onPointerEnter={() => onEngaged(true)}
      onPointerLeave={() => onEngaged(false)}
    >
      <ol aria-label={label} style={{ height }}>
        {shown.map(({ alert, index }) => (
          <li
            key={alert.id}
            style={{ transform: `translateY(${index * rowHeight}px)`, height: rowHeight }}
            data-alert={alert.id}
            aria-setsize={alerts.length}
            aria-posinset={index + 1}
            className={rowClass(alert, selected)}
          >
            {render(alert)}
          </li>
        ))}
      </ol>
    </div>
  );
}

function rowClass(alert: Alert, selected: number | null): string {
  return ["row", alert.id === selected ? "selected" : "", alert.work_state === "closed" ? "gone" : ""]
    .filter(Boolean)
    .join(" ");
}
