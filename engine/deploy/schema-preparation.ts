import type { Clock } from "../clock";
import { EngineError } from "../errors";
import type { Catalog, ComponentPath, JsonValue, SchemaProgress } from "../types";

/** How long the CLI is left without news; it shows what it hears and asks again. */
const NEWS_MS_MAX = 2_000;

/** The new schema of a component. */
export type ComponentSchema = { readonly component: ComponentPath; readonly schema: JsonValue | null };

/**
 * The long part of a push: new indexes are built and rows checked while the CLI asks how far it is. Answers are in the
 * CLI's own JSON (`schemaStatus` of its `deployApi`).
 */
export class SchemaPreparation {
  readonly #progress = new Map<ComponentPath, SchemaProgress>();
  readonly #done: Promise<void>;
  #outcome: JsonValue | null = null;
  #failure: unknown = null;

  /** @param isDryRun whether nothing may be built, only rows be checked */
  constructor(catalog: Catalog, schemas: readonly ComponentSchema[], isDryRun: boolean) {
    for (const { component } of schemas) {
      this.#note({ component, checked: false, indexesBuilt: 0, indexesTotal: 0 });
    }
    this.#done = this.#run(catalog, schemas, isDryRun);
  }

  /** Waits until it is done, for a while at most. Throws what is not the developer's to mend. */
  async status(clock: Clock, timeoutMs: number): Promise<JsonValue> {
    if (this.#outcome === null) {
      let cancel = () => {};
      const pause = new Promise<void>((resolve) => {
        cancel = clock.setTimer(Math.min(timeoutMs, NEWS_MS_MAX), resolve);
      });
      await Promise.race([this.#done, pause]);
      cancel();
    }
    if (this.#failure !== null) {
      throw this.#failure;
    }
    return this.#outcome ?? { type: "inProgress", components: this.#components() };
  }

  async #run(catalog: Catalog, schemas: readonly ComponentSchema[], isDryRun: boolean): Promise<void> {
    for (const { component, schema } of schemas) {
      try {
        await (isDryRun
          ? catalog.checkSchema(component, schema)
          : catalog.prepareSchema(component, schema, (progress) => this.#note(progress)));
      } catch (error) {
        this.#fail(component, error);
        return;
      }
    }
    this.#outcome = { type: "complete" };
  }

  #fail(component: ComponentPath, error: unknown): void {
    if (!(error instanceof EngineError) || error.kind !== "developer") {
      this.#failure = error;
    } else if (error.code === "RaceDetected") {
      this.#outcome = { type: "raceDetected" };
    } else {
      this.#outcome = { type: "failed", error: error.message, componentPath: component, tableName: null };
    }
  }

  #note(progress: SchemaProgress): void {
    this.#progress.set(progress.component, progress);
  }

  #components(): JsonValue {
    return Object.fromEntries(
      [...this.#progress].map(([component, { checked, indexesBuilt, indexesTotal }]) => [
        component,
        { schemaValidationComplete: checked, indexesComplete: indexesBuilt, indexesTotal },
      ]),
    );
  }
}
