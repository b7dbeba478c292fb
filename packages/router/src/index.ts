export { normalizePath } from './path-normal-form.ts'
export type { ParamNames, PathParams } from './path-params.ts'
export { RouteError, type RouteErrorCode } from './route-error.ts'
export type { AddMethodRoute, AddRoute, MountCheck, RouteGroup } from './route-group.ts'
export type { NoSchema, RouteOptions, RouteSchema, ValidParts } from './route-options.ts'
export type { ParamValues } from './route-table.ts'
export {
  createRouter,
  type RouteInfo,
  type RouteLookup,
  type Router,
  type RouterOptions,
} from './router.ts'
export type {
  SchemaIssue,
  SchemaOutput,
  SchemaResult,
  StandardSchema,
} from './standard-schema.ts'
export { type RequestFault, type RequestPart, ValidationError } from './validation-error.ts'
