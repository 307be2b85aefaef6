// What is on record about a participant: orders with their conditions, devices.

import { Time } from "../parts/marks.tsx";
import type { OrderView, Participant } from "../types.ts";
import { plain } from "../words.ts";

export function Orders({ orders, zone }: { orders: OrderView[]; zone: string }) {
  return (
    <section className="card" aria-label="Orders in force">
      <header>
        <h2>Orders</h2>
      </header>
      {orders.length === 0 ? (
        <p className="empty">No order names this participant.</p>
      ) : (
        orders.map((order) => (
          <div className="body" key={order.order}>
            <h3>
              {order.order}{" "}
              <span className="quiet">
                version {order.version}
                {order.void && ", ended"}
              </span>
            </h3>
            <p className="small quiet">
              {[
                order.agency,
                order.officer && `officer ${order.officer}`,
                order.supervision_level && `${order.supervision_level} supervision`,
              ]
                .filter(Boolean)
                .join(", ")}
            </p>
            <p className="small quiet">
              {order.effective_from ? (
                <>
                  from <Time at={order.effective_from} zone={zone} form="short" />
                </>
              ) : (
                "always"
              )}
              {order.effective_until && (
                <>
                  {" "}
                  until <Time at={order.effective_until} zone={zone} form="short" />
                </>
              )}
            </p>
            <ul className="small" style={{ marginTop: 6 }}>
              {order.conditions.map((condition) => (
                <li key={condition.id}>
                  <strong>{condition.id}</strong> {plain(condition.kind)}
                  {[condition["zone"], condition["place"]]
                    .filter(Boolean)
                    .map((where) => `: ${String(where)}`)
                    .join("")}
                </li>
              ))}
            </ul>
          </div>
        ))
      )}
    </section>
  );
}

export function Devices({ found, zone }: { found: Participant; zone: string }) {
  return (
    <section className="card" aria-label="Devices">
      <header>
        <h2>Devices</h2>
      </header>
      {found.bindings.length === 0 ? (
        <p className="empty">No device is bound.</p>
      ) : (
        <ul className="body stack" style={{ gap: 8 }}>
          {found.bindings.map((binding) => (
            <li key={`${binding.binding}${binding.version}`} className="small">
              <strong>{binding.device}</strong>
              {binding.void && " (void)"}{" "}
              {[binding.role, binding.place && `at ${binding.place}`, binding.feed && `feed ${binding.feed}`]
                .filter(Boolean)
                .join(", ")}
              <span className="quiet" style={{ display: "block" }}>
                {binding.from ? (
                  <>
                    from <Time at={binding.from} zone={zone} form="short" />
                  </>
                ) : (
                  "always"
                )}
                {binding.until && (
                  <>
                    {" "}
                    until <Time at={binding.until} zone={zone} form="short" />
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
