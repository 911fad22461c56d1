import type * as z from 'zod';
import type { EVENTS } from '#shared/audit/events';
import type { Facts } from '#shared/audit/facts';
import type { Catalog } from '#shared/market/catalog';
import type { Level } from '#shared/market/crossing-entry';
import type { Tickers } from '#shared/market/tickers';
import type { Platform } from '#shared/platform/ports';
import type { Write } from '#shared/platform/table';

/**
 * What an alert waits for at a level: to fire, or, once it has fired, to be re-armed, or, armed on a stale value that
 * meets its condition, to be evaluated at the next move.
 */
export type AlertRole = 'fire' | 'rearm' | 'recheck';

/** A symbol at a venue. */
export interface TradedSymbol {
  readonly venue: string;
  readonly symbol: string;
}

/** What a firing was about, as far as the condition names it. */
export interface Subject {
  readonly venue?: string;
  readonly symbol?: string;
  /** The value of the condition that was reached. */
  readonly level?: string;
}

/** What conditions are checked against and read from. */
export interface ConditionPorts extends Pick<Platform, 'config'> {
  readonly catalog: Catalog;
  readonly tickers: Tickers;
}

/** The current value of a series. */
export interface Reading {
  readonly series: string;
  /** A decimal; undefined while the series has no value yet. */
  readonly value: string | undefined;
  /** The value before the move; undefined where there was no move, or none before it. */
  readonly previous: string | undefined;
  readonly version: number;
  /** The time of the value on the record, epoch ms, where it was played from a recording. */
  readonly recordedAt?: number | undefined;
}

/** What a condition found as it was armed. */
export interface Observation {
  /** One for each of its series; the first one's value is that of the notification if the alert fires at once. */
  readonly readings: readonly [Reading, ...Reading[]];
  /** Checks, to be made in the transaction that stores the alert, that no series has moved since it was read. */
  readonly unmoved: readonly Write[];
}

export type AlertFacts = Facts<(typeof EVENTS)['config.alert-created']['facts']>;

/**
 * A kind of condition. Every condition is made of levels on named series of numbers (a price, an indicator, the
 * difference of two, a portfolio's value), so that one index finds all alerts that a move concerns.
 */
export interface ConditionKind<Condition extends { readonly type: string }> {
  readonly type: Condition['type'];
  readonly schema: z.ZodType<Condition>;
  /**
   * Checks what a schema can't know.
   * @param path where the condition is in the request, for errors
   * @throws {InvalidInput} it can never hold here @throws {Unavailable} that is not known yet
   */
  validate(condition: Condition, path: string, ports: ConditionPorts): Promise<void>;
  /** The symbols whose prices it needs: lists are filtered by them, and an alert waits while one has no current price. */
  markets(condition: Condition): readonly TradedSymbol[];
  /** What a firing of it reports beside the value. */
  subject(condition: Condition): Subject;
  /** Has its series recorded from now on, and reads their values. */
  observe(condition: Condition, ports: ConditionPorts): Promise<Observation>;
  /** Where an alert waits in this role: each level at a place of its own, and no more than fit in a transaction. */
  arm(condition: Condition, role: 'fire' | 'rearm'): readonly Level[];
  /**
   * Whether it holds. Alerts fire if it does as they are armed, or as a series reaches one of their levels.
   * @param readings of the series that moved, or of all of them as it is armed
   * @returns undefined: unknown, as a series has no reading or no value
   */
  evaluate(condition: Condition, readings: readonly Reading[]): boolean | undefined;
  /** A sentence that says what has happened. @param value of the series that decided */
  message(condition: Condition, value: string): string;
  /** What the audit log records of it. */
  audit(condition: Condition): AlertFacts;
}
