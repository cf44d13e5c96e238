// What the page's script draws with: bars on a grid, a tooltip, as SVG. Each further chart or component is one line here.
import * as core from "echarts/core";
import { BarChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

core.use([BarChart, GridComponent, TooltipComponent, SVGRenderer]);

export const init = core.init;
