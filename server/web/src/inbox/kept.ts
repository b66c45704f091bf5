/** What the team's pages keep in the browser, of this workspace alone: others may be served by the same host. */

const BELOW = location.pathname.replace(/\/[^/]*$/, "");

/** The name that somebody acts under who signed in without one. */
export const PERSON_KEY = `helpgraph-inbox-person${BELOW}`;
/** In this tab alone. */
export const DRAFTS_KEY = `helpgraph-inbox-drafts${BELOW}`;
/** When somebody signed out here: pages in other tabs hear of it. */
export const OUT_KEY = `helpgraph-inbox-out${BELOW}`;

export function remembered(key: string): string {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Then it lasts as long as the page.
  }
}

/** Nothing of whoever was here stays. */
export function forget(): void {
  try {
    localStorage.removeItem(PERSON_KEY);
    sessionStorage.removeItem(DRAFTS_KEY);
  } catch {
    // Then nothing was kept.
  }
}
