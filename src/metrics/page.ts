/** What stands at a path of the node's port, and how it is asked for. Types only. */

/** What stands at a path: asked for anew each time. */
export interface Page {
  readonly status: number;
  /** `text/plain` unless said. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is asked for beside the path. */
export interface Asked {
  readonly query: URLSearchParams;
}

/** Answers with one page, at once or later. */
export type PageAt = (asked: Asked, answer: (page: Page) => void) => void;
