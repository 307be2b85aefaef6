// Three pages need no routing library: the address bar is the state, links are real links.

import { type AnchorHTMLAttributes, useSyncExternalStore } from "react";

const changed = new EventTarget();

export function go(path: string): void {
  history.pushState(null, "", path);
  scrollTo(0, 0);
  changed.dispatchEvent(new Event("change"));
}

function subscribe(listener: () => void): () => void {
  changed.addEventListener("change", listener);
  addEventListener("popstate", listener);
  return () => {
    changed.removeEventListener("change", listener);
    removeEventListener("popstate", listener);
  };
}

/** Path of the page shown. */
export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** A link within the console; a modified click opens a tab, as everywhere. */
export function Link({ href, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  return (
    <a
      href={href}
      {...rest}
      onClick={(click) => {
        rest.onClick?.(click);
        if (click.defaultPrevented || click.button !== 0) return;
        if (click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
        click.preventDefault();
        go(href);
      }}
    />
  );
}
