// What Grafana itself says a dashboard is, for the kinds of panels we have; everything that is not known is an error.
import type { AnnotationQuery, Dashboard, DataSourceRef, FieldConfig, Panel, VariableModel } from '@grafana/schema';
import type * as logs from '@grafana/schema/dist/esm/raw/composable/logs/panelcfg/x/LogsPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// A file has the values of enumerations, not their names.
type Json<T> = T extends string ? `${T}` : T extends (infer U)[] ? Json<U>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T;
type Written<T> = { [K in keyof T as string extends K ? never : K]: Json<T[K]> };

// The queries of InfluxDB and Loki are not in the schema:
// https://github.com/grafana/grafana/blob/main/public/app/plugins/datasource/influxdb/types.ts
type InfluxQuery = { refId: string; query: string; rawQuery: true; resultFormat: 'time_series' | 'table'; alias: string };
type LokiQuery = { refId: string; expr: string; queryType: 'range' };
type InfluxAnnotation = { refId: string; query: string; fromAnnotations: true; textColumn: string; tagsColumn: string };

type Of<Type extends string, Source extends string, Query, Options, Custom> = Written<
  Omit<Panel, 'type' | 'datasource' | 'targets' | 'options' | 'fieldConfig'>
> & {
  type: Type;
  title: string;
  datasource: { type: Source; uid: string };
  targets: Query[];
  options: Partial<Written<Options>>;
  fieldConfig?: {
    defaults: Written<Omit<FieldConfig, 'custom'>> & { custom?: Written<Custom> };
    overrides: { matcher: { id: 'byName'; options: string }; properties: { id: string; value: unknown }[] }[];
  };
};

type AnyPanel =
  | Of<'timeseries', 'influxdb', InfluxQuery, timeseries.Options, timeseries.FieldConfig>
  | Of<'table', 'influxdb', InfluxQuery, table.Options, table.FieldConfig>
  | Of<'logs', 'loki', LokiQuery, logs.Options, Record<string, never>>;

export type Ours = Written<Omit<Dashboard, 'panels' | 'annotations' | 'templating'>> & {
  panels: AnyPanel[];
  annotations: { list: (Written<Omit<AnnotationQuery, 'target'>> & { datasource: DataSourceRef; target: InfluxAnnotation })[] };
  templating: { list: Written<VariableModel>[] };
};
