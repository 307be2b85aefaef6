// Loading and failing, designed: never an empty screen.

import { Link } from "./router.tsx";

export function Skeleton({ label }: { label: string }) {
  return (
    <div className="page">
      <div className="card skeleton" role="status">
        <span className="unseen">{label}</span>
        <i />
        <i />
        <i />
        <i />
      </div>
    </div>
  );
}

export function Missing({
  title,
  words,
  onRetry,
}: {
  title: string;
  words: string;
  onRetry: (() => void) | null;
}) {
  return (
    <div className="page">
      <div className="card empty" role="alert">
        <strong>{title}</strong>
        <p>{words}</p>
        <p style={{ marginTop: 16 }}>
          {onRetry && (
            <button type="button" className="button main" onClick={onRetry}>
              Try again
            </button>
          )}{" "}
          <Link className="button" href="/">
            Back to the queue
          </Link>
        </p>
      </div>
    </div>
  );
}
