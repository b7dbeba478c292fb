import * as vega from 'vega'
import { type Config, compile, type TopLevelSpec } from 'vega-lite'

/**
 * An opaque card, so that the same file reads on light and on dark pages: inside `<img>` an SVG
 * cannot know the colour of the page around it.
 */
const CONFIG: Config = {
  background: '#ffffff',
  // A quarter of each file, and of no use inside `<img>`, where the alternative text counts.
  aria: false,
  padding: 16,
  font: 'Helvetica, Arial, "DejaVu Sans", sans-serif',
  title: {
    anchor: 'start',
    fontSize: 15,
    subtitleFontSize: 11,
    subtitleColor: '#57606a',
    offset: 14,
  },
  header: { labelFontSize: 13, labelFontWeight: 'bold', labelAnchor: 'start' },
  axis: { labelFontSize: 10, titleFontSize: 11, gridColor: '#e6e8eb', labelColor: '#1f2328' },
  legend: { labelFontSize: 11, titleFontSize: 11 },
  view: { stroke: '#d0d7de' },
}

// Exported, but missing in the types of version 6.4.
const { textMetrics } = vega as unknown as {
  readonly textMetrics: { canvas(isUsed: boolean): void }
}

/** Draws a plot. The text is the same for the same plot, on every machine. */
export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  // Widths are estimated from font sizes: with a canvas module installed they would be measured
  // in the fonts of this machine, and the drawing would differ from the next one's.
  textMetrics.canvas(false)
  // Identifiers of clip paths count up from one drawing to the next.
  vega.resetSVGDefIds()
  const compiled = compile(spec, { config: CONFIG }).spec
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}
