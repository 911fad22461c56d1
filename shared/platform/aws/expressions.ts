import type { Changes, Query, Value, WriteCondition } from '../table.ts';

/** A part of an expression; one that is `compound` needs parentheses within another. DynamoDB refuses redundant ones. */
interface Term {
  readonly text: string;
  readonly compound: boolean;
}

/**
 * Writes conditions, changes and key ranges as DynamoDB expressions. Names and values only ever appear as placeholders,
 * and a placeholder exists only once it is used: DynamoDB refuses unused ones.
 */
export class Expressions {
  readonly #names = new Map<string, string>();
  readonly #values = new Map<string, Value>();

  condition(condition: WriteCondition): string {
    return this.#term(condition).text;
  }

  /** @returns undefined when there is nothing to change */
  update({ set = {}, remove = [], add = {} }: Changes): string | undefined {
    const clauses = [
      ['SET', Object.entries(set).map(([path, value]) => `${this.#path(path)} = ${this.#value(value)}`)],
      ['REMOVE', remove.map((path) => this.#path(path))],
      ['ADD', Object.entries(add).map(([attribute, value]) => `${this.#name(attribute)} ${this.#value(value)}`)],
    ] as const;
    const text = clauses
      .filter(([, actions]) => actions.length > 0)
      .map(([clause, actions]) => `${clause} ${actions.join(', ')}`)
      .join(' ');
    return text === '' ? undefined : text;
  }

  /** @returns undefined when no key lies in the range */
  keyCondition({ index, pk, sk }: Query): string | undefined {
    const partition = `${this.#name(index === undefined ? 'pk' : `${index}pk`)} = ${this.#value(pk)}`;
    if (sk === undefined) return partition;
    const range = this.#range(index === undefined ? 'sk' : `${index}sk`, sk);
    if (range === undefined) return undefined;
    return range === '' ? partition : `${partition} AND ${range}`;
  }

  /** The placeholders used so far, as a request holds them. */
  placeholders(): {
    ExpressionAttributeNames?: Record<string, string>;
    ExpressionAttributeValues?: Record<string, Value>;
  } {
    return {
      ...(this.#names.size > 0 && {
        ExpressionAttributeNames: Object.fromEntries(
          [...this.#names].map(([name, placeholder]) => [placeholder, name]),
        ),
      }),
      ...(this.#values.size > 0 && { ExpressionAttributeValues: Object.fromEntries(this.#values) }),
    };
  }

  #term(condition: WriteCondition): Term {
    if ('all' in condition) return this.#joined(condition.all, 'AND');
    if ('any' in condition) return this.#joined(condition.any, 'OR');
    const path = this.#path(condition.path);
    if (!('value' in condition)) {
      return {
        text: `${condition.is === 'present' ? 'attribute_exists' : 'attribute_not_exists'}(${path})`,
        compound: false,
      };
    }
    const comparison = `${path} ${condition.is} ${this.#value(condition.value)}`;
    if (condition.is !== '<>') return { text: comparison, compound: false };
    return { text: `attribute_not_exists(${path}) OR ${comparison}`, compound: true };
  }

  #joined(conditions: readonly WriteCondition[], operator: 'AND' | 'OR'): Term {
    const [only, ...others] = conditions;
    if (only === undefined) {
      // Nothing to hold is always true, nothing to choose from never; DynamoDB has no literal for either.
      const pk = this.#name('pk');
      return {
        text: `attribute_exists(${pk}) ${operator === 'AND' ? 'OR' : 'AND'} attribute_not_exists(${pk})`,
        compound: true,
      };
    }
    if (others.length === 0) return this.#term(only);
    const terms = conditions.map((condition) => this.#term(condition));
    return {
      text: terms.map(({ text, compound }) => (compound ? `(${text})` : text)).join(` ${operator} `),
      compound: true,
    };
  }

  /** A range of a key: '' when it holds every key, undefined when it holds none. DynamoDB refuses empty bounds and crossed ones. */
  #range(attribute: string, range: NonNullable<Query['sk']>): string | undefined {
    const compared = (operator: string, bound: string) => `${this.#name(attribute)} ${operator} ${this.#value(bound)}`;
    if ('prefix' in range) {
      return range.prefix === '' ? '' : `begins_with(${this.#name(attribute)}, ${this.#value(range.prefix)})`;
    }
    if ('after' in range) return range.after === '' ? '' : compared('>', range.after);
    if ('before' in range) return range.before === '' ? undefined : compared('<', range.before);
    const [low, high] = range.between;
    if (high === '' || Buffer.compare(Buffer.from(low), Buffer.from(high)) > 0) return undefined;
    if (low === '') return compared('<=', high);
    return `${this.#name(attribute)} BETWEEN ${this.#value(low)} AND ${this.#value(high)}`;
  }

  /** `map.name` is the name within the map; the name itself may hold further dots. */
  #path(path: string): string {
    const dot = path.indexOf('.');
    return dot < 0 ? this.#name(path) : `${this.#name(path.slice(0, dot))}.${this.#name(path.slice(dot + 1))}`;
  }

  #name(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const placeholder = `#n${this.#names.size}`;
    this.#names.set(name, placeholder);
    return placeholder;
  }

  #value(value: Value): string {
    const placeholder = `:v${this.#values.size}`;
    this.#values.set(placeholder, value);
    return placeholder;
  }
}
