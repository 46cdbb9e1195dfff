/**
 * <theme-switch> around the form that posts the next theme: changes the page at once and tells
 * the server in the background, so that nothing reloads. Without it the form does the same.
 */
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const NAMES = { auto: "automatic", light: "light", dark: "dark" };

export class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.form?.addEventListener("submit", (event) => this.submit(event));
  }

  async submit(event) {
    event.preventDefault();
    const body = new FormData(this.form);
    const theme = NEXT[document.documentElement.dataset.theme] ?? "light";
    body.set("theme", theme);
    this.show(theme);
    const answer = await fetch(this.form.action, { method: "POST", body, redirect: "manual" });
    if (answer.type !== "opaqueredirect" && !answer.ok) this.form.submit();
  }

  show(theme) {
    document.documentElement.dataset.theme = theme;
    const button = this.querySelector("button");
    const use = this.querySelector("use");
    button.setAttribute("aria-label", `Theme: ${NAMES[theme]}. Change to ${NAMES[NEXT[theme]]}.`);
    button.title = button.getAttribute("aria-label");
    use.setAttribute("href", `${use.getAttribute("href").split("#")[0]}#${theme}`);
  }
}
