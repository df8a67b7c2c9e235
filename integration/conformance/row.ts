/** One fact of Kubernetes' storage that moored holds to, or decided otherwise, and what shows it. */
export interface Row {
  /** Of the feature inventory: a letter for the area, and a number. */
  readonly id: string;
  /** What moored does, in our own words. */
  readonly says: string;
  /**
   * A case of integration/cases by its id ("pv/1-1"), or a file and a part of a title ("daemon/a.test.ts > binds it").
   * Empty: not yet.
   */
  readonly tests: readonly string[];
  /** Why nothing shows it. */
  readonly why?: string;
}

export interface Area {
  readonly title: string;
  readonly rows: readonly Row[];
}
