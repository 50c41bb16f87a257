import { applyDecorators, type Type as Class, ValidationPipe } from '@nestjs/common';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize, getMetadataStorage, IsArray, IsDefined, isInt, IsObject, ValidateBy, ValidateNested,
  type ValidationError, type ValidationOptions,
} from 'class-validator';
import { EdgeProblem } from '../problems/edge-problem.js';
import { type FieldError } from '../problems/problem.js';
import { memberPointer } from './member-pointer.js';

/** Errors told at once: enough to mend a request, few enough to read. */
const errorsMax = 32;

class JsonValidationPipe extends ValidationPipe {
  /** What came as JSON holds no binary values: looking for them took as long as half of the validation. */
  protected override findNestedBinaryValues(): ValidationError[] {
    return [];
  }

  /** Would drop `constructor` and `prototype` in silence. `SoundBody` refused such members, but where they are ids. */
  protected override stripProtoKeys(): void {}
}

/** Checks every DTO; unknown fields are refused, each wrong field is named with a JSON Pointer. */
export function validationPipe(): ValidationPipe {
  return new JsonValidationPipe({
    whitelist: true, forbidNonWhitelisted: true, transform: true, stopAtFirstError: true,
    validationError: { target: true },
    exceptionFactory: (errors: ValidationError[]) => {
      const fields = errors.flatMap((error) => fieldErrors(error, '')).slice(0, errorsMax);
      return new EdgeProblem('request-invalid', fields.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '),
        fields);
    },
  });
}

function fieldErrors(error: ValidationError, parent: string): FieldError[] {
  const pointer = memberPointer(parent, error.property);
  const own = Object.entries(error.constraints ?? {}).map(([constraint, detail]): FieldError => {
    const value: unknown = error.value;
    const limit = limitOf(constraint, detail, error.target);
    return { pointer, detail, limit, ...(isShort(value) ? { value } : {}) };
  });
  return [...own, ...(error.children ?? []).flatMap((child) => fieldErrors(child, pointer))];
}

/** What is allowed. class-validator words it as "<property> must be ...", or as what must not be. */
function limitOf(constraint: string, detail: string, dto: object | undefined): string {
  switch (constraint) {
    case 'isDefined': return 'a value';
    case 'whitelistValidation': return fieldsOf(dto).join(', ') || 'no field';
    default: return detail.replace(/^.*? (must|should) (be )?/, '')
      .replace(/^not be greater than /, 'at most ').replace(/^not be less than /, 'at least ');
  }
}

/** The fields a DTO has, in the order of its class. */
function fieldsOf(dto: object | undefined): readonly string[] {
  if (!dto) return [];
  const rules = getMetadataStorage().getTargetValidationMetadatas(dto.constructor, '', false, false);
  return [...new Set(rules.map(({ propertyName }) => propertyName))];
}

function isShort(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= 80;
  return value === null || typeof value === 'number' || typeof value === 'boolean';
}

/** An object of another DTO. `ValidateNested` alone would take a list for one. */
export function IsNested(dto: () => Class): PropertyDecorator {
  return applyDecorators(IsDefined(), IsObject(), ValidateNested(), Type(dto));
}

/** A list of objects of another DTO, at most `max`. */
export function IsNestedList(dto: () => Class, max: number): PropertyDecorator {
  return applyDecorators(IsArray(), ArrayMaxSize(max), IsObject({ each: true }), ValidateNested({ each: true }),
    Type(dto));
}

/**
 * An object whose members are named by ids: `constructor` is one. It is kept as it came, since class-transformer leaves
 * such members out; and has a type, since it would take their object for one of the class it names. `SoundBody` lets
 * such names through where `NamedByIds` points.
 */
export function IsNamedByIds(): PropertyDecorator {
  return applyDecorators(IsObject(), Type(() => Object),
    Transform(({ obj, key }) => (obj as Record<string, unknown>)[key]));
}

const hexPattern = /^0x[0-9a-fA-F]{1,4}$/;

/** An offset or length in config space: a whole number, or "0x..." as people write offsets. */
export function IsOffset(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy({
    name: 'isOffset',
    validator: {
      validate: (value: unknown) => (isInt(value) && (value as number) >= 0 && (value as number) <= 0xffff)
        || (typeof value === 'string' && hexPattern.test(value)),
      defaultMessage: () => '$property must be a whole number or "0x..." of at most 0xffff',
    },
  }, options);
}

/** The number an `IsOffset` field holds. */
export function offsetNumber(given: string | number): number {
  return Number(given);
}
