/**
 * <relative-time> around a <time datetime="…">: says how long ago, in the same words as the
 * server's filter `ago`, keeps it true while the page stays open, and shows the reader's local
 * time on hover.
 */
const STEPS = [
  ["minute", 60],
  ["hour", 3600],
  ["day", 86400],
];
const DAYS_IN_WORDS = 30;
const REFRESH_MS = 60_000;
const words = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const month = new Intl.DateTimeFormat("en-US", { month: "short" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

export function ago(then, now = Date.now()) {
  const seconds = Math.max(0, (now - then) / 1000);
  if (seconds < 60) return "just now";
  if (seconds >= DAYS_IN_WORDS * 86400) return date(new Date(then));
  const [unit, size] = STEPS.filter(([, step]) => seconds >= step).at(-1);
  return words.format(-Math.floor(seconds / size), unit);
}

function date(then) {
  return `${then.getDate()} ${month.format(then)} ${then.getFullYear()}`;
}

export class RelativeTime extends HTMLElement {
  connectedCallback() {
    this.time = this.querySelector("time");
    this.then = Date.parse(this.time?.dateTime);
    if (Number.isNaN(this.then)) return;
    this.time.title = exact.format(this.then);
    this.refresh();
    this.timer = setInterval(() => this.refresh(), REFRESH_MS);
  }

  refresh() {
    this.time.textContent = ago(this.then);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }
}
