/** The parameter that one segment of a pattern names, or never. */
type SegmentParam<Segment extends string> = string extends Segment
  ? string
  : Segment extends `:${infer Name}`
    ? Name
    : Segment extends `*${infer Name}`
      ? Name
      : never

/**
 * The names of a pattern's parameters. Collected in an accumulator, so that the compiler sees a tail
 * call and patterns may have hundreds of segments.
 */
export type ParamNames<
  Pattern extends string,
  Names = never,
> = Pattern extends `${infer Segment}/${infer Rest}`
  ? ParamNames<Rest, Names | SegmentParam<Segment>>
  : Names | SegmentParam<Pattern>

/**
 * The type of a pattern's parameters: `PathParams<'/users/:id'>` is `{ readonly id: string }`. For a
 * pattern that is not a literal, any name may be there.
 */
export type PathParams<Pattern extends string> = {
  readonly [Name in ParamNames<Pattern> & string]: string
}
