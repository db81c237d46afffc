/* What the reader has chosen, kept after the "#": "#t=0:42" is a moment, "#view=requests&t=10-60" a part and a time. */

export class FragmentUi {
  constructor(location, history, changed) {
    Object.assign(this, { location, history, changed });
  }

  get params() {
    if (this.location.hash !== this.hash) {
      this.hash = this.location.hash;
      this.known = new URLSearchParams(this.hash.slice(1));
    }
    return this.known;
  }

  get(key) {
    return this.params.get(key);
  }

  /** The address with another value; colons stay readable. */
  link(key, value) {
    const params = new URLSearchParams(this.params);
    if (value === null || value === undefined) {
      params.delete(key);
    } else {
      params.set(key, value);
    }
    return `#${params.toString().replaceAll("%3A", ":")}`;
  }

  /* A file has no history that its origin may write in some browsers: then the address changes alone. */
  set(key, value) {
    const link = this.link(key, value);
    try {
      this.history.replaceState(null, "", link);
    } catch {
      this.location.hash = link;
    }
    this.changed();
  }
}
