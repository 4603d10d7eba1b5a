export const added = [];
export class Rate {
  constructor(name) { this.name = name; }
  add(value, tags) { added.push({ metric: this.name, value, tags }); }
}
